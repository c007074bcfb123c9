/** From a link to a studio that stands as the link says, and back. */
import { defaultRecipe } from '../../tuning/recipe.ts';
import type { Studio } from '../studio.tsx';
import { liveRun } from './runs.ts';
import type { ReadSetting, Setting } from './setting.ts';
import { fitsLink, wishOf } from './taskLink.ts';

/** Says what of a link was left out, begins with its model and sample, and puts its text into "Try it" once there is a task. */
export function openSetting(studio: Studio, { setting, notes }: ReadSetting): void {
  const { session, tryIt, playback, notices } = studio;
  for (const note of notes) notices.getState().toast(note);
  const { text, text2 } = setting;
  if (text !== undefined) {
    // The first task fills "Try it" with one of its own rows; the link's text takes that row's place.
    const stop = tryIt.subscribe((now, before) => {
      if (now.pins === before.pins || now.pins.length === 0) return;
      stop();
      tryIt.getState().setText(text, text2 ?? now.text2);
    });
  }
  void (async () => {
    const { model, sample, task, engine } = setting;
    await session.getState().begin({ model, sample, task, engine });
    // The recording is of the default recipe: beside a setting of the link's own it would say something else.
    if (model || sample || setting.recipe || task) playback.getState().clear();
  })();
}

/**
 * Sets up an experiment in a studio that is open: recipe, and model and sample where they are others. Returns whether it was
 * done; a run that goes is not broken off by it.
 */
export function applySetting(studio: Studio, setting: Setting): boolean {
  const { session, recipe, runs, playback, notices } = studio;
  const { modelSource, dataSource, models, samples } = session.getState();
  const model = models.find(({ id }) => id === setting.model && !isSame(modelSource, id));
  const sample = samples.find(({ id }) => id === setting.sample && !isSame(dataSource, id));
  if (liveRun(runs.getState()) && (model || sample)) {
    notices.getState().toast('A run is going on other data or another model. Stop it or let it end first.');
    return false;
  }
  const before = recipe.getState().recipe;
  recipe.getState().load(setting.recipe ?? defaultRecipe);
  playback.getState().clear();
  notices.getState().toast('The experiment is set. Press Train.', {
    undo: () => recipe.getState().load(before),
  });
  void (async () => {
    if (model && !(await session.getState().loadModel({ kind: 'builtin', id: model.id }))) return;
    if (sample) await session.getState().openData({ kind: 'sample', id: sample.id }, {}, setting.task);
  })();
  return true;
}

function isSame(source: { kind: string; id?: string } | undefined, id: string): boolean {
  return source?.id === id && (source.kind === 'builtin' || source.kind === 'sample');
}

export interface Shareable {
  setting: Setting;
  /** What a link cannot carry, in words. */
  missing: string[];
}

/** The studio as it stands, as far as a link can carry it. */
export function currentSetting({ session, recipe, tryIt, teacher, mirror }: Studio): Shareable {
  const { modelSource, model, dataSource, data, device, task, suggested } = session.getState();
  const { text, text2 } = tryIt.getState();
  const missing: string[] = [];
  if (modelSource?.kind === 'files')
    missing.push(`the model ${model?.title ?? ''}, which came from your files`);
  if (modelSource?.kind === 'hub')
    missing.push(
      `the model ${model?.title ?? ''}, which each browser loads from the hub on the Model station`,
    );
  if (dataSource?.kind === 'file') missing.push(`the table ${data?.name ?? ''}, which came from your files`);
  // Words and columns belong to rows that the link does not bring.
  const wish =
    dataSource?.kind === 'sample' && task && suggested ? wishOf(task.settings, suggested) : undefined;
  if (wish && !fitsLink(wish)) missing.push('template and words of the labels, which are too long');
  if (task?.mended.length) missing.push('what was mended in the rows');
  const current = recipe.getState().recipe;
  return {
    setting: {
      model: modelSource?.kind === 'builtin' ? modelSource.id : undefined,
      sample: dataSource?.kind === 'sample' ? dataSource.id : undefined,
      hub: mirror.getState().address.trim() || undefined,
      recipe: current === defaultRecipe ? undefined : current,
      engine: device?.choice.reason === 'wanted' ? device.engine : undefined,
      task: wish && fitsLink(wish) ? wish : undefined,
      text: text.trim() ? text : undefined,
      text2: text.trim() ? text2 : undefined,
      teacher,
    },
    missing,
  };
}
