/**
 * tslab's kernel, with what its protocol lacks: `execute_input` (prompts), `execute_result`, `error`, errors of promises
 * that nobody awaited, dropping queued cells after an error, and interrupts that stop a cell's work.
 */
'use strict';

const { setTimeout: sleep } = require('node:timers/promises');
const { inspect } = require('node:util');
const { beginCell, endCell } = require('./cells.cjs');
const { describeDiagnostics, describeError, plain } = require('./errors.cjs');
const { rebuilt } = require('./library.cjs');
const { printQuickInfo } = require('tslab/dist/inspect.js');
const jupyter = require('tslab/dist/jupyter.js');

/** How long an interrupted cell may take to stop by itself, at the next step of its work, before it is abandoned. */
const GRACE_MS = 1000;
/** Long enough to read the requests that were sent before an error was known. */
const DRAIN_MS = 20;
const REBUILT = 'The library was rebuilt. This kernel still uses the old one: restart it to use the new one.\n';
/** Printed text is gathered for this long, as ipykernel does: Jupyter's server drops more than 1000 messages a second. */
const GATHER_MS = 50;
/** The most messages that are sent each time. */
const PIECES = 16;
const DIAGNOSTIC_FORMAT = '%s%d:%d - %s';
/** How long to wait for a port that another program uses. */
const PORT_PATIENCE_MS = 5000;
/** The method of an object that says how to show it: the convention of Deno's Jupyter kernel. */
const JUPYTER_DISPLAY = Symbol.for('Jupyter.display');

/**
 * What is in the metadata of the notebooks, no more: JupyterLab stores what the kernel says, and opening a notebook must not
 * change it.
 */
const LANGUAGE = { name: 'typescript', mimetype: 'text/x-typescript', file_extension: '.ts' };

class Handler extends jupyter.JupyterHandlerImpl {
  handleKernel() {
    return { ...super.handleKernel(), language_info: LANGUAGE };
  }

  /** Documentation, with the words of links in place of their syntax. tslab would put every part on a line of its own. */
  handleInspect(request) {
    const info = this.executor.inspect(request.code, request.cursor_pos);
    const reply = { status: 'ok', found: Boolean(info), data: {}, metadata: {} };
    if (!info) return reply;
    const text = (parts) => parts.map((part) => part.text).join('');
    const documentation = info.documentation?.length ? [{ text: text(info.documentation) }] : [];
    reply.data['text/plain'] = printQuickInfo({ ...info, documentation }).replace(LINK, spoken);
    return reply;
  }
}

const LINK = /\{@link(?:code|plain)?\s+([^\s|}]+)\s*\|?\s*([^}]*)\}/g;
const spoken = (_, target, words) => words.trim() || target;

class Server extends jupyter.ZmqServer {
  #executor;
  #count = 0;
  #queue = Promise.resolve();
  /** Each error begins a new generation; requests of an older one are dropped if they have `stop_on_error`. */
  #generation = 0;
  #cell = null;
  /** The cells that run or wait, in order. */
  #pending = [];
  /** Errors that were thrown while no cell ran; the next cell reports them. */
  #late = [];

  /** @param createExecutor makes tslab's executor, given a console */
  constructor(createExecutor, configPath) {
    const executor = createExecutor({
      log: (value) => this.#result(value),
      error: (...what) => this.#failed(...what),
    });
    super(new Handler(executor, false), configPath);
    this.#executor = executor;
  }

  /**
   * tslab calls this for each socket. On a socket that is never read from, such as iopub, zeromq.js sends the 512th message
   * only when the event loop turns, and refuses all messages until then ("Socket is busy writing"): a cell with many lines
   * or a long progress bar would fail, and so would the report of the failure. With a timeout of zero it sends at once.
   * ZeroMQ also drops messages when a thousand are waiting for the reader, unless there is no limit.
   *
   * Jupyter chose a port that was free then, but another program may use it now. A kernel without one of its sockets would
   * never answer. So it waits for the port for a while and then ends; Jupyter restarts it with other ports.
   */
  async bindSocket(socket, port) {
    if (socket === this.iopub) {
      socket.sendTimeout = 0;
      socket.sendHighWaterMark = 0;
    }
    for (const began = Date.now(); ;) {
      try {
        await super.bindSocket(socket, port);
        return;
      } catch (error) {
        if (Date.now() - began > PORT_PATIENCE_MS) {
          process.stderr.write(`The kernel cannot use port ${port}: ${error.message}\n`);
          process.exit(1);
        }
        await sleep(100);
      }
    }
  }

  /** tslab calls this for an `execute_request`, as soon as it arrives. */
  async handleExecute(socket, request) {
    const generation = this.#generation;
    this.#pending.push(request);
    const turn = this.#queue
      .then(() => this.#execute(socket, request, generation))
      .finally(() => this.#pending.splice(this.#pending.indexOf(request), 1));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** A page shows the latest status: the end of one request must not look like the end of all. */
  publishStatus(status, request) {
    super.publishStatus(status, request);
    if (status === 'idle' && this.#pending.length > 0) super.publishStatus('busy', this.#pending[0]);
  }

  /** An error that no cell caught: of a promise that was not awaited, or of a callback. */
  uncaught(reason) {
    if (reason?.name === 'Interrupted' && this.#cell === null) return;
    if (this.#cell === null) this.#late.push(reason);
    else this.#report(describeError(reason));
  }

  /** SIGINT: work stops at its next step (`lib/work.ts` listens too). A cell that does not end then is abandoned. */
  interrupt() {
    const cell = this.#cell;
    if (cell === null) return;
    setTimeout(() => {
      if (this.#cell === cell) this.#executor.interrupt();
    }, GRACE_MS);
  }

  async #execute(socket, request, generation) {
    const { code, silent = false, stop_on_error: stopOnError = true } = request.content;
    const reply = (content) => this.#send(socket, request, 'execute_reply', { ...content });
    if (stopOnError && generation < this.#generation) {
      reply({ status: 'aborted' });
      return;
    }
    if (!silent) this.#count++;
    const count = this.#count;
    const printed = new Printed((content) => this.#send(this.iopub, request, 'stream', content));
    const publish = (type, content) => {
      printed.flush();
      this.#send(this.iopub, request, type, content);
    };
    const cell = (this.#cell = { code, count, silent, publish, error: null });
    if (!silent) publish('execute_input', { code, execution_count: count });
    process.stdout.write = printed.writer('stdout');
    process.stderr.write = printed.writer('stderr');
    jupyter.lastWriteDisplayData = (data, update) => publish(update ? 'update_display_data' : 'display_data', data);

    if (rebuilt()) process.stderr.write(REBUILT);
    beginCell(`In [${silent ? `${count}, silent` : count}]`, code);
    try {
      for (const reason of this.#late.splice(0)) this.#report(describeError(reason));
      if (code.trim() !== '') await this.#executor.execute(code);
      // A rejected promise that nobody awaits is reported one turn of the event loop later.
      await sleep(0);
    } catch (error) {
      this.#report(describeError(error));
    }
    endCell();
    printed.flush();

    if (cell.error === null) {
      this.#cell = null;
      reply({ status: 'ok', execution_count: count, user_expressions: {}, payload: [] });
      return;
    }
    if (stopOnError) {
      await sleep(DRAIN_MS);
      this.#generation++;
    }
    this.#cell = null;
    reply({ status: 'error', execution_count: count, ...cell.error, payload: [] });
  }

  /** Publishes the value of a cell's last line. */
  #result(value) {
    const { count, silent, publish } = this.#cell;
    if (silent) return;
    const show = value?.[JUPYTER_DISPLAY];
    const data = typeof show === 'function' ? show.call(value) : { 'text/plain': inspect(value) };
    publish('execute_result', { execution_count: count, data, metadata: {} });
  }

  /** tslab prints diagnostics of the compiler and errors thrown by a cell through one function. */
  #failed(...what) {
    if (what[0] !== DIAGNOSTIC_FORMAT) {
      this.#report(describeError(asInterrupt(what[0])));
      return;
    }
    const [, file, line, character, message] = what;
    this.#cell.diagnostics ??= [];
    this.#cell.diagnostics.push({ file: file.trim(), line, character, message });
    if (this.#cell.diagnostics.length > 1) return;
    // tslab reports them one by one, all in the same turn.
    const cell = this.#cell;
    cell.error = { ename: 'TypeScript', evalue: message, traceback: [] };
    queueMicrotask(() => this.#report(describeDiagnostics(cell.diagnostics, cell.code), cell));
  }

  #report(error, cell = this.#cell) {
    cell.error = cell.error?.traceback.length ? cell.error : error;
    if (!cell.silent) cell.publish('error', error);
    else process.stderr.write(`${plain(error)}\n`);
  }

  #send(socket, request, type, content) {
    const message = request.createReply();
    message.header.msg_type = type;
    message.content = content;
    message.signAndSend(this.connInfo.key, socket);
  }
}

/** Turns what tslab and Node throw into a cell that did not stop by itself into an error like that of `lib/work.ts`. */
function asInterrupt(thrown) {
  const synchronous = thrown?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED';
  if (!synchronous && thrown?.message !== 'Interrupted asynchronously') return thrown;
  const what = synchronous ? 'the cell was stopped' : 'the cell was abandoned; its work may still be running';
  return { name: 'Interrupted', message: what, [Symbol.toStringTag]: 'Error' };
}

/**
 * What a cell prints. The first text is sent at once, since the cell may block the event loop; what follows within a moment is
 * gathered into one message. Where both streams are printed to in turn their order is kept, unless they change more often than
 * messages may be sent.
 */
class Printed {
  #pieces = [];
  #timer = undefined;
  #sent = -Infinity;

  /** @param send publishes a piece, `{name, text}` */
  constructor(send) {
    this.send = send;
  }

  /** A `write` for process.stdout and process.stderr. */
  writer(name) {
    const decoder = new TextDecoder();
    return (chunk, encoding, callback) => {
      const done = typeof encoding === 'function' ? encoding : callback;
      this.#add(name, typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }));
      if (done) process.nextTick(done);
      return true;
    };
  }

  #add(name, text) {
    if (text === '') return;
    const last = this.#pieces.at(-1);
    if (name === last?.name) last.text += text;
    else this.#pieces.push({ name, text });
    if (performance.now() - this.#sent > GATHER_MS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pieces.length === 0) return;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#sent = performance.now();
    if (pieces.length <= PIECES) return void pieces.forEach((piece) => this.send(piece));
    for (const name of ['stdout', 'stderr']) {
      const text = pieces.flatMap((piece) => (piece.name === name ? [piece.text] : [])).join('');
      this.send({ name, text });
    }
  }
}

module.exports = { Server };
