import * as v from 'valibot';
import { PreludeError } from '../errors.ts';
import { fileUrl, type HubAddress, revisionUrl, treeUrl } from './hub-address.ts';
import { askJson, type HubAccess } from './hub-request.ts';

const COMMIT = /^[0-9a-f]{40}$/;
/** Pages of a list; real models have one. */
const MAX_PAGES = 50;

const EntrySchema = v.object({
  type: v.string(),
  path: v.string(),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  oid: v.optional(v.string()),
  lfs: v.optional(v.object({ oid: v.string(), size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) })),
});

/** One file of a model on a hub. */
export interface HubFile {
  /** Inside of the model. */
  path: string;
  bytes: number;
  /** Of its contents, where the hub tells: large files. */
  sha256?: string;
  /** Git's hash of it, where the hub tells: small files. */
  gitSha1?: string;
}

/** A model's files at one commit. */
export interface HubListing {
  address: HubAddress;
  /** What `address.revision` was when it was listed; the revision itself where the hub does not tell. */
  commit: string;
  files: HubFile[];
}

/**
 * Lists a model's files, with sizes and hashes, at the commit that its revision is now.
 *
 * By fetch, not `@huggingface/hub`: its listing follows the next page's address with the token wherever that leads, its
 * download cannot go on after a cut, and it brings 5 MB for the upload.
 * @throws PreludeError 'download' when there is no such model, it may not be read, or the server is no hub; 'cancelled'
 */
export async function listHubFiles(address: HubAddress, access: HubAccess = {}): Promise<HubListing> {
  const commit = await commitOf(address, access);
  const files: HubFile[] = [];
  let url: string | undefined = treeUrl(address, commit);
  for (let page = 0; url && page < MAX_PAGES; page++) {
    const { json, next } = await askJson(url, access);
    const result = v.safeParse(v.array(EntrySchema), json);
    if (!result.success)
      throw noHub(url, `its list of files is not as the hub's: ${result.issues[0].message}`);
    for (const { type, path, size, oid, lfs } of result.output)
      if (type === 'file')
        files.push({
          path,
          bytes: lfs?.size ?? size,
          ...(lfs && /^[0-9a-f]{64}$/.test(lfs.oid) && { sha256: lfs.oid }),
          ...(!lfs && oid && COMMIT.test(oid) && { gitSha1: oid }),
        });
    if (next && new URL(next).origin !== new URL(address.baseUrl).origin)
      throw noHub(url, `its list goes on at another server, ${new URL(next).host}`);
    url = next;
  }
  return { address, commit, files };
}

async function commitOf(address: HubAddress, access: HubAccess): Promise<string> {
  if (COMMIT.test(address.revision)) return address.revision;
  try {
    const { json } = await askJson(revisionUrl(address), access);
    const sha = typeof json === 'object' && json !== null && 'sha' in json ? json.sha : undefined;
    return typeof sha === 'string' && COMMIT.test(sha) ? sha : address.revision;
  } catch (error) {
    // A simple mirror has lists of files only; whether there is such a model its list will say.
    if (error instanceof PreludeError && /\(40[45]\)/.test(error.message)) return address.revision;
    throw error;
  }
}

/** What of a model is downloaded, or what is to be chosen first. */
export interface HubChoice {
  /** Empty where one of `choices` must be chosen. */
  files: HubFile[];
  /** GGUF files, each a whole model in one precision. */
  choices: HubFile[];
}

const ALONGSIDE = ['config.json', 'generation_config.json', 'tokenizer_config.json'];
const TOKENIZERS = ['tokenizer.json', 'spiece.model', 'tokenizer.model'];

/**
 * Chooses the files that Prelude reads: configs, one tokenizer, and the weights in the first form there is of safetensors,
 * PyTorch and GGUF; of a GGUF repository the one file it has, or the one that the address names.
 * @throws PreludeError 'download' when it has none of them, or not the file that was asked for
 */
export function chooseHubFiles({ address, files }: Pick<HubListing, 'address' | 'files'>): HubChoice {
  const choices = files
    .filter(({ path }) => path.endsWith('.gguf') && !/-\d{5}-of-\d{5}\.gguf$|mmproj/.test(path))
    .sort((a, b) => a.bytes - b.bytes);
  if (address.file !== undefined) {
    const chosen = files.find(({ path }) => path === address.file);
    if (!chosen)
      throw new PreludeError('download', `${address.id}: it has no file ${address.file}.`, {
        where: address.file,
        remedy:
          choices.length > 0
            ? `Choose one of its GGUF files: ${choices.map(({ path }) => path).join(', ')}.`
            : 'Type the id of the model without a file.',
      });
    if (chosen.path.endsWith('.gguf')) return { files: [chosen], choices };
  }
  const named = new Map(files.map((file) => [file.path, file]));
  const present = (names: readonly string[]) => names.flatMap((name) => named.get(name) ?? []);
  const matching = (pattern: RegExp) => files.filter(({ path }) => pattern.test(path));
  const sharded = (index: string, shards: RegExp) =>
    named.has(index) ? [...present([index]), ...matching(shards)] : [];
  const weights = [
    () => present(['model.safetensors']),
    () => sharded('model.safetensors.index.json', /^model-\d+-of-\d+\.safetensors$/),
    () => present(['pytorch_model.bin']),
    () => sharded('pytorch_model.bin.index.json', /^pytorch_model-\d+-of-\d+\.bin$/),
  ]
    .map((find) => find())
    .find((found) => found.length > 0);
  if (weights && named.has('config.json'))
    return { files: [...present(ALONGSIDE), ...present(TOKENIZERS).slice(0, 1), ...weights], choices };
  if (choices.length > 0) return { files: choices.length === 1 ? choices : [], choices };
  throw new PreludeError('download', `${address.id}: it has no model that Prelude reads.`, {
    where: address.id,
    remedy: named.has('adapter_config.json')
      ? 'It is an adapter: load the model it was made for here, and import the adapter on the Prompt station.'
      : 'Choose a model with config.json and model.safetensors or pytorch_model.bin, or one with a .gguf file.',
  });
}

/** The address of a file's bytes. */
export function hubFileUrl(listing: Pick<HubListing, 'address' | 'commit'>, path: string): string {
  return fileUrl(listing.address, listing.commit, path);
}

function noHub(url: string, message: string): PreludeError {
  return new PreludeError('download', `${new URL(url).host}: ${message}.`, {
    where: url,
    remedy: 'Check the address of the hub or its mirror.',
  });
}
