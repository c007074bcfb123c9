import { PreludeError } from '../errors.ts';

export const HUB_URL = 'https://huggingface.co';

/** Where a model lies on a hub. */
export interface HubAddress {
  /** Without a slash at its end. */
  baseUrl: string;
  /** `owner/name`, or `name` of the hub's first models. */
  id: string;
  /** A branch, a tag or a commit. */
  revision: string;
  /** One file of it (a GGUF file), where the address names one. */
  file?: string;
}

const NAME = /^[\w-][\w.-]*$/;

/**
 * What a person typed or pasted as a model: `google/t5-large-lm-adapt`, `owner/name@revision`, or the address of its page or of a file
 * on the hub (`/tree/`, `/blob/`, `/resolve/`).
 * @param options.baseUrl a mirror's address; an address typed in full keeps its own
 * @throws PreludeError 'download' when it is none of these
 */
export function parseHubAddress(
  text: string,
  options: { baseUrl?: string; revision?: string; file?: string } = {},
): HubAddress {
  const trimmed = text.trim();
  const refuse = () =>
    new PreludeError('download', `${JSON.stringify(trimmed)} is no model of a hub.`, {
      where: trimmed,
      remedy:
        'Type it as owner/name, for example google/t5-small-lm-adapt, or paste the address of its page.',
    });
  let baseUrl = (options.baseUrl ?? HUB_URL).replace(/\/+$/, '');
  if (!/^https?:\/\/[^/]/.test(baseUrl))
    throw new PreludeError('download', `${JSON.stringify(baseUrl)} is no address of a hub.`, {
      where: baseUrl,
      remedy: `It begins with https:// or http://; leave it empty for ${HUB_URL}.`,
    });
  let path = trimmed;
  if (/^https?:\/\//.test(trimmed)) {
    if (!URL.canParse(trimmed)) throw refuse();
    const url = new URL(trimmed);
    // hf.co leads to the hub; a mirror may lie in a folder of its server.
    const inside = new URL(baseUrl).origin === url.origin && trimmed.startsWith(`${baseUrl}/`);
    if (!inside) baseUrl = url.host === 'hf.co' ? HUB_URL : url.origin;
    path = decodeURIComponent(url.pathname.slice(new URL(baseUrl).pathname.replace(/\/$/, '').length));
  }
  const [whole, at] = path.split('@');
  const parts = whole!.replace(/^\/+|\/+$/g, '').split('/');
  const verb = parts.findIndex((part) => part === 'tree' || part === 'blob' || part === 'resolve');
  const names = verb > 0 ? parts.slice(0, verb) : parts;
  if (names.length < 1 || names.length > 2 || !names.every((name) => NAME.test(name))) throw refuse();
  const rest = verb > 0 ? parts.slice(verb + 1) : [];
  const file =
    options.file ?? (rest.length > 1 && parts[verb] !== 'tree' ? rest.slice(1).join('/') : undefined);
  const revision = options.revision || at || rest[0] || 'main';
  if (/(^|\/)\.\.(\/|$)/.test(`${revision}/${file ?? ''}`)) throw refuse();
  return { baseUrl, id: names.join('/'), revision, ...(file && { file }) };
}

/** Where the hub lists a model's files at a revision. */
export function treeUrl({ baseUrl, id }: HubAddress, revision: string): string {
  return `${baseUrl}/api/models/${id}/tree/${encodeURIComponent(revision)}?recursive=true`;
}

/** Where the hub tells which commit a revision is. */
export function revisionUrl({ baseUrl, id, revision }: HubAddress): string {
  return `${baseUrl}/api/models/${id}/revision/${encodeURIComponent(revision)}`;
}

/** Where a file's bytes are; the hub may lead on to another host. */
export function fileUrl({ baseUrl, id }: HubAddress, revision: string, path: string): string {
  return `${baseUrl}/${id}/resolve/${encodeURIComponent(revision)}/${path.split('/').map(encodeURIComponent).join('/')}`;
}
