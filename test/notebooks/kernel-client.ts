/** The smallest client of a Jupyter kernel: starts ours as Jupyter would, executes cells, collects what comes back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Dealer, Subscriber } from 'zeromq';

const root = resolve(__dirname, '../../..');
const DELIMITER = '<IDS|MSG>';

/** What a message says, as JSON: every test knows what it looks for. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Content = Record<string, any>;

export interface Message {
  readonly type: string;
  readonly parent: string;
  readonly content: Content;
}

/** What one `execute_request` led to. */
export interface Execution {
  readonly reply: Content;
  /** Everything that was published under the request, statuses included, in order. */
  readonly published: readonly Message[];
  of(type: string): Content[];
}

/** Starts the kernel's process in its project's folder of notebooks; ports for shell, control, iopub, stdin and heartbeat. */
export function launchKernel(
  [shell, control, iopub, stdin, hb]: readonly number[],
  project = root,
): { child: ChildProcess; key: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'kernel-'));
  const key = randomUUID();
  const connection = {
    ...{ shell_port: shell, control_port: control, iopub_port: iopub, stdin_port: stdin, hb_port: hb },
    ...{ ip: '127.0.0.1', transport: 'tcp', key, signature_scheme: 'hmac-sha256', kernel_name: '' },
  };
  const file = join(folder, 'connection.json');
  writeFileSync(file, JSON.stringify(connection));
  const spec = join(project, 'jupyter', 'kernels', 'attention-capacity');
  const cwd = join(project, 'notebooks');
  const { argv } = JSON.parse(readFileSync(join(spec, 'kernel.json'), 'utf8')) as { argv: string[] };
  const [, ...args] = argv.map((part) => part.replace('{resource_dir}', spec).replace('{connection_file}', file));
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  return { child, key, folder };
}

export class KernelClient {
  readonly #published: Message[] = [];
  readonly #replies = new Map<string, Content>();
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly process: ChildProcess,
    private readonly key: string,
    private readonly shell: Dealer,
    private readonly control: Dealer,
    private readonly iopub: Subscriber,
    private readonly folder: string,
  ) {
    void this.#listen(shell, (message) => this.#replies.set(message.parent, message.content));
    void this.#listen(control, (message) => this.#replies.set(message.parent, message.content));
    void this.#listen(iopub, (message) => this.#published.push(message));
  }

  /** Starts the kernel of a project, of this one unless told otherwise. */
  static async start(project = root, ports?: readonly number[]): Promise<KernelClient> {
    const [shell, control, iopub, ...rest] = ports ?? (await freePorts());
    const { child, key, folder } = launchKernel([shell, control, iopub, ...rest], project);
    const sockets = { shell: new Dealer(), control: new Dealer(), iopub: new Subscriber() };
    sockets.shell.connect(`tcp://127.0.0.1:${shell}`);
    sockets.control.connect(`tcp://127.0.0.1:${control}`);
    sockets.iopub.connect(`tcp://127.0.0.1:${iopub}`);
    sockets.iopub.subscribe();
    const client = new KernelClient(child, key, sockets.shell, sockets.control, sockets.iopub, folder);
    // iopub tells nothing to a subscriber that has only just connected: ask until it does.
    for (let tries = 0; ; tries++) {
      const id = await client.send('kernel_info_request', {});
      await client.#until(() => client.#replies.has(id), 30_000);
      await new Promise((done) => setTimeout(done, 50));
      if (client.#published.some(({ parent }) => parent === id)) return client;
      if (tries > 100) throw new Error('the kernel publishes nothing');
    }
  }

  /** Sends a request on the shell channel and gives its id. */
  async send(type: string, content: object): Promise<string> {
    const id = randomUUID();
    await this.shell.send(this.#signed(id, type, content));
    return id;
  }

  /** The answer to a request. */
  async reply(id: string, milliseconds = 30_000): Promise<Content> {
    await this.#until(() => this.#replies.has(id), milliseconds);
    return this.#replies.get(id)!;
  }

  async ask(type: string, content: object): Promise<Content> {
    return this.reply(await this.send(type, content));
  }

  /** Sends a cell without waiting for it. */
  sendCell(code: string, { stopOnError = true, silent = false } = {}): Promise<string> {
    const content = { code, silent, store_history: !silent, user_expressions: {}, allow_stdin: false };
    return this.send('execute_request', { ...content, stop_on_error: stopOnError });
  }

  /** Waits until a cell has ended. */
  async ended(id: string, milliseconds?: number): Promise<Execution> {
    const reply = await this.reply(id, milliseconds);
    const idle = ({ type, parent, content }: Message) =>
      parent === id && type === 'status' && content.execution_state === 'idle';
    await this.#until(() => this.#published.some(idle));
    const published = this.#published.filter(({ parent }) => parent === id);
    return {
      reply,
      published,
      of: (type) => published.filter((message) => message.type === type).map(({ content }) => content),
    };
  }

  async execute(code: string, options: { stopOnError?: boolean; silent?: boolean } = {}): Promise<Execution> {
    return this.ended(await this.sendCell(code, options));
  }

  /** Everything that was published so far. */
  all(): readonly Message[] {
    return this.#published;
  }

  /** Waits until something with this property was published. */
  async published(property: (message: Message) => boolean, milliseconds = 30_000): Promise<Message> {
    await this.#until(() => this.#published.some(property), milliseconds);
    return this.#published.find(property)!;
  }

  /** As Jupyter interrupts a kernel whose `interrupt_mode` is `signal`. */
  interrupt(): void {
    this.process.kill('SIGINT');
  }

  /** Asks the kernel to end; true when it did within five seconds. */
  async shutdown(): Promise<boolean> {
    const exited = new Promise<boolean>((done) => {
      if (this.process.exitCode !== null) done(true);
      this.process.once('exit', () => done(true));
      setTimeout(() => done(false), 5000).unref();
    });
    await this.control.send(this.#signed(randomUUID(), 'shutdown_request', { restart: false }));
    const gone = await exited;
    this.process.kill('SIGKILL');
    for (const socket of [this.shell, this.control, this.iopub]) socket.close();
    rmSync(this.folder, { recursive: true, force: true });
    return gone;
  }

  #signed(id: string, type: string, content: object): string[] {
    const header = { msg_id: id, msg_type: type, session: 'test', username: 'test', version: '5.3', date: new Date() };
    const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
    const signature = createHmac('sha256', this.key).update(parts.join('')).digest('hex');
    return [DELIMITER, signature, ...parts];
  }

  async #listen(socket: Dealer | Subscriber, take: (message: Message) => void): Promise<void> {
    for await (const frames of socket) {
      const parts = frames.map(String);
      const at = parts.indexOf(DELIMITER);
      const [header, parent, , content] = parts.slice(at + 2).map((part) => JSON.parse(part) as Content);
      take({ type: header.msg_type as string, parent: (parent.msg_id as string) ?? '', content });
      for (const look of this.#waiting) look();
    }
  }

  #until(condition: () => boolean, milliseconds = 30_000): Promise<void> {
    return new Promise((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`nothing came in ${milliseconds} ms`)), milliseconds);
      const look = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        done();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Ports that no program has, for now. */
export async function freePorts(count = 5): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
