import { PreludeError } from '../errors.ts';

/** How a hub is asked. */
export interface HubAccess {
  /** Sent to the hub's own host only; kept by the caller, never stored. */
  token?: string;
  signal?: AbortSignal;
  /** Waits; tests do not. @throws when the signal is aborted */
  pause?(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A server that sends nothing for so long is asked again. Default: 60 s. */
  stallMs?: number;
}

/** Failures one after another before giving up: waits of 0.5, 1, 2, 4 and 8 s, or what the server asks for. */
const MAX_FAILURES = 6;
/** For lists, which a person waits for: 0.5 and 1 s. */
const MAX_LIST_FAILURES = 3;
const MAX_WAIT_MS = 120_000;
const STALL_MS = 60_000;

/** A failure that may pass: the request is made again. */
export class Passing extends Error {
  /** Milliseconds the server asks to wait. */
  readonly after: number | undefined;
  constructor(message: string, options: { after?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.after = options.after;
  }
}

/**
 * Does `work` again as long as its failures may pass, with longer and longer waits. `work` returns, or throws `Passing`
 * with `progress` when it got further than before, which starts the count anew.
 * @throws PreludeError 'download', 'cancelled'
 */
export async function persistently<T>(
  where: string,
  access: HubAccess,
  work: (attempt: { progressed(): void }) => Promise<T>,
  most = MAX_FAILURES,
): Promise<T> {
  let failures = 0;
  const attempt = {
    progressed: () => {
      failures = 0;
    },
  };
  for (;;) {
    if (access.signal?.aborted) throw cancelled(where);
    try {
      return await work(attempt);
    } catch (error) {
      if (access.signal?.aborted) throw cancelled(where, error);
      if (!(error instanceof Passing)) throw error;
      failures++;
      if (failures >= most)
        throw new PreludeError('download', `${nameOf(where)}: ${error.message}`, {
          where,
          remedy: 'Check the connection, then start it again: it goes on where it stopped.',
          cause: error,
        });
      const wait = Math.min(
        error.after ?? 500 * 2 ** (failures - 1) * (0.75 + Math.random() / 2),
        MAX_WAIT_MS,
      );
      await (access.pause ?? pause)(wait, access.signal).catch((cause: unknown) => {
        throw cancelled(where, cause);
      });
    }
  }
}

/**
 * One request to a hub. The token goes into the first request's header; on a redirect to another host the platform leaves it out
 * (Fetch standard, HTTP-redirect fetch, step 13; Chromium since 119).
 * @throws Passing for 429, 5xx, a server that is not reached, and a redirect's host that refuses an address that has expired
 * @throws PreludeError 'download' for what asking again does not change
 */
export async function ask(
  url: string,
  access: HubAccess,
  headers: Record<string, string>,
): Promise<Response> {
  const { token } = access;
  if (token && !isPrivate(url))
    throw new PreludeError('download', `A token is not sent to ${new URL(url).host} over plain http.`, {
      where: url,
      remedy: 'Use an address that begins with https://, or no token.',
    });
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new PreludeError('download', 'The access token has characters that no token has.', {
      remedy: 'Copy it again from the settings of your account on the hub; it begins with hf_.',
    });
  let response: Response;
  try {
    response = await fetch(url, {
      headers: { ...headers, ...(token && { Authorization: `Bearer ${token}` }) },
      signal: access.signal,
      // The hub's cookies are no business of ours.
      credentials: 'omit',
    });
  } catch (cause) {
    throw new Passing('the server could not be reached.', { cause });
  }
  if (response.ok) return response;
  await response.body?.cancel().catch(() => undefined);
  const { status } = response;
  const elsewhere = response.redirected && new URL(response.url).host !== new URL(url).host;
  if (status === 429 || status >= 500 || (elsewhere && (status === 401 || status === 403)))
    throw new Passing(
      status === 429 ? 'the server is asked too often (429).' : `the server answered ${status}.`,
      { after: retryAfter(response) },
    );
  throw refusal(url, response, token !== undefined);
}

/** Pieces of an answer's body; a connection that breaks or stalls is a `Passing`. */
export async function* piecesOf(response: Response, access: HubAccess): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (;;) {
      const stalled = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Passing('the server sends nothing any more.')),
          access.stallMs ?? STALL_MS,
        );
      });
      const { done, value } = await Promise.race([reader.read(), stalled]);
      clearTimeout(timer);
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw cause instanceof Passing || cause instanceof PreludeError
      ? cause
      : new Passing('the connection broke off.', { cause });
  } finally {
    clearTimeout(timer);
    await reader.cancel().catch(() => undefined);
  }
}

/** A JSON answer of the hub's API, with the address of its next page. */
export async function askJson(url: string, access: HubAccess): Promise<{ json: unknown; next?: string }> {
  const once = async () => {
    const response = await ask(url, access, { Accept: 'application/json' });
    const text = await response.text().catch((cause: unknown) => {
      throw new Passing('the connection broke off.', { cause });
    });
    try {
      const next = /<([^>]+)>;\s*rel="?next"?/.exec(response.headers.get('Link') ?? '')?.[1];
      return { json: JSON.parse(text), ...(next && { next: new URL(next, url).href }) };
    } catch (cause) {
      throw new PreludeError('download', `${new URL(url).host}: its answer is no JSON.`, {
        where: url,
        remedy: 'Check the address: this is no hub, or its mirror lacks the list of files.',
        cause,
      });
    }
  };
  return persistently(url, access, once, MAX_LIST_FAILURES);
}

function refusal(url: string, response: Response, hasToken: boolean): PreludeError {
  const { status } = response;
  const code = response.headers.get('X-Error-Code');
  const name = nameOf(url);
  const make = (message: string, remedy: string) =>
    new PreludeError('download', `${name}: ${message} (${status}).`, { where: url, remedy });
  if (status === 404)
    return code === 'RevisionNotFound'
      ? make('the hub has no such revision', 'Check the branch, tag or commit; "main" is the usual one.')
      : make(
          'the hub has no such model or file',
          'Check the spelling: owner/name, as on the page of the model.',
        );
  if (status === 401 || status === 403)
    return code === 'GatedRepo'
      ? make(
          'its licence must be accepted first',
          hasToken
            ? 'Open its page on the hub with the account of this token and accept the licence, then try again.'
            : 'Open its page on the hub, accept the licence, and give an access token of your account here.',
        )
      : make(
          hasToken
            ? 'the hub does not let this token read it'
            : 'the hub does not show it: it is private or gated, or there is no such model',
          hasToken
            ? 'Check that the token may read this model, and accept its licence on its page if it is gated.'
            : 'Check the spelling. If it is private or gated, give an access token and accept its licence on its page.',
        );
  return make('the server refused', 'Check the address of the hub, then try again.');
}

function retryAfter(response: Response): number | undefined {
  const text = response.headers.get('Retry-After');
  if (!text) return undefined;
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}

function isPrivate(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** The model's or the file's name in an address, for messages. */
export function nameOf(url: string): string {
  const path = decodeURIComponent(url.replace(/^https?:\/\/[^/]*/, '').split('?')[0]!);
  return (
    path
      .replace(/^\/?(api\/models\/)?/, '')
      .replace(/\/(tree|revision|resolve)\/[^/]*\/?/, ' ')
      .trim() || url
  );
}

function cancelled(where: string, cause?: unknown): PreludeError {
  return new PreludeError('cancelled', `${nameOf(where)}: the download was cancelled.`, {
    where,
    remedy: 'Start it again when you want it: it goes on where it stopped.',
    cause,
  });
}
