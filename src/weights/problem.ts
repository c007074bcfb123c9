import { PreludeError } from '../errors.ts';

const FRESH_COPY = 'Get the file again: it was cut off or changed on its way, or it is no such file.';

/** The error of a weight file that is not what it claims to be. `where` names the file, and the tensor if there is one. */
export function badWeights(
  where: string,
  message: string,
  remedy = FRESH_COPY,
  cause?: unknown,
): PreludeError {
  return new PreludeError('bad-weights', `${where}: ${message}`, { where, remedy, cause });
}
