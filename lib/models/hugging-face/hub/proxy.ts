/** The user's proxy, as curl and requests take it from the environment; Node's own fetch passes over it unless it is told not to. */
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { connect } from 'node:tls';

/** HTTPS_PROXY or HTTP_PROXY, by the address, else ALL_PROXY, in small letters too; null for hosts of NO_PROXY. */
export function proxyFor(url: URL): URL | null {
  const named = (name: string) => process.env[name.toLowerCase()] || process.env[name];
  const proxy = named(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') || named('ALL_PROXY');
  if (!proxy) return null;
  const { hostname, port } = url;
  const without = (named('NO_PROXY') ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  for (const entry of without) {
    const [host, onPort] = entry.replace(/^\*?\./, '').split(':');
    const isHost = hostname === host || hostname.endsWith(`.${host}`);
    if (entry === '*' || (isHost && (onPort === undefined || onPort === port))) return null;
  }
  return new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

const REDIRECTS = 10;

/** fetch without a body to send, through {@link proxyFor}'s proxy of each address on the way. */
export async function fetchThroughProxy(url: URL, init: RequestInit, redirects = REDIRECTS): Promise<Response> {
  const headers = new Headers(init.headers);
  const answer = await send(url, init.method ?? 'GET', headers, init.signal ?? undefined);
  const { statusCode = 0 } = answer;
  const { location } = answer.headers;
  if (statusCode >= 301 && statusCode <= 308 && location && init.redirect !== 'manual') {
    answer.resume();
    if (redirects === 0) throw new Error('fetch failed: too many redirects');
    const next = new URL(location, url);
    if (next.origin !== url.origin) headers.delete('Authorization');
    return fetchThroughProxy(next, { ...init, headers }, redirects - 1);
  }
  const given = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  const hasBody = init.method !== 'HEAD' && ![204, 304].includes(statusCode);
  if (!hasBody) answer.resume();
  const body = hasBody ? (Readable.toWeb(answer) as ReadableStream<Uint8Array>) : null;
  const response = new Response(body, { status: statusCode, statusText: answer.statusMessage, headers: given });
  return Object.defineProperty(response, 'url', { value: url.href });
}

async function send(url: URL, method: string, headers: Headers, signal?: AbortSignal): Promise<IncomingMessage> {
  const proxy = proxyFor(url);
  const own = { method, signal, headers: { ...Object.fromEntries(headers), host: url.host } };
  if (proxy === null) return answerTo((url.protocol === 'https:' ? requestHttps : requestHttp)(url, own));
  const account = decodeURIComponent(`${proxy.username}:${proxy.password}`);
  const credentials =
    proxy.username === '' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(account).toString('base64')}` };
  const request = proxy.protocol === 'https:' ? requestHttps : requestHttp;
  const place = { host: proxy.hostname, port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80), signal };
  if (url.protocol === 'http:') {
    return answerTo(request({ ...own, ...place, path: url.href, headers: { ...own.headers, ...credentials } }));
  }
  const target = `${url.hostname}:${url.port || 443}`;
  const tunnel = request({ ...place, method: 'CONNECT', path: target, headers: { host: target, ...credentials } });
  const socket = await new Promise<import('node:net').Socket>((resolve, reject) => {
    tunnel.on('error', reject);
    tunnel.on('connect', (answer, opened) => {
      if (answer.statusCode === 200) return resolve(opened);
      opened.destroy();
      reject(new Error(`the proxy ${proxy.host} answers with status ${answer.statusCode}`));
    });
    tunnel.end();
  });
  const secured = connect({ socket, servername: url.hostname });
  return answerTo(requestHttps(url, { ...own, agent: false, createConnection: () => secured }));
}

function answerTo(request: ReturnType<typeof requestHttp>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  });
}
