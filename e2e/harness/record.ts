import { deviceName } from '../../src/studio/deviceName.ts';
import { startEngine } from '../../src/studio/index.ts';
import type { Recording } from '../../src/studio/recording.ts';
import { defaultRecipe, type Recipe } from '../../src/tuning/recipe.ts';
import type { RunEvent, SceneFrame } from '../../src/worker/protocol.ts';

/** Frames a recording keeps: twelve seconds of playing. */
const MOST_FRAMES = 120;
/** A text longer than this does not fit the scene. */
const GOOD_LENGTH = 72;

const short = (value: number) => Number(value.toPrecision(3));
const round = (values: ArrayLike<number>) => Array.from(values, short);

/** Trains once with the default recipe (or a change of it) and returns the run as a recording. */
export async function record(sampleId: string, changes: Partial<Recipe>): Promise<Recording> {
  const say = (words: string) => console.info(words);
  const engine = startEngine();
  const device = await engine.openDevice('webgpu');
  const models = await engine.listModels();
  const card = models.find((model) => model.isDefault) ?? models[0]!;
  const model = await engine.loadModel({ kind: 'builtin', id: card.id }, () => {});
  const data = await engine.openData({ kind: 'sample', id: sampleId }, {}, () => {});
  const task = await engine.setTask(await engine.suggestTask(), () => {});
  const measure = async (kind: 'none' | 'written') =>
    short((await engine.evaluate({ kind }, 'dev', { decoding: 'rank' }, () => {})).accuracy);
  const untuned = await measure('none');
  const written = await measure('written');
  const { rows } = await engine.rows({ start: 0, count: 60, part: 'dev' });
  const { text, text2 } = rows.find((row) => row.text.length <= GOOD_LENGTH) ?? rows[0]!;
  const reading = await engine.readText(text, text2);

  const recipe = { ...defaultRecipe, ...changes };
  const frames: SceneFrame[] = [];
  const answers: Recording['answers'] = [];
  let asking = Promise.resolve();
  let run = '';
  const ask = (step: number) => {
    asking = asking.then(async () => {
      if (!run) return;
      const [answer] = await engine.predict(text, text2, [{ kind: 'run', run, which: 'current' }], {
        generate: false,
      });
      if (answer)
        answers.push({
          step,
          scores: answer.scores.map((score) => ({
            ...score,
            logLikelihood: short(score.logLikelihood),
            probability: short(score.probability),
          })),
        });
    });
  };
  const steps: Recording['steps'] = [];
  const evals: Recording['evals'] = [];
  await new Promise<void>((done, failed) => {
    const take = (event: RunEvent) => {
      if (event.type === 'scene') {
        frames.push(event.frame);
        if (frames.length % 8 === 1) ask(event.frame.step);
      } else if (event.type === 'steps')
        for (const { step, loss, gradNorm } of event.records)
          steps.push({ step, loss: short(loss), gradNorm: short(gradNorm) });
      else if (event.type === 'eval') {
        evals.push({
          ...event.record,
          accuracy: short(event.record.accuracy),
          loss: short(event.record.loss),
        });
        say(`step ${event.record.step}: dev ${event.record.accuracy.toFixed(3)}`);
      } else if (event.type === 'finished') done();
      else if (event.type === 'failed') failed(new Error(event.error.message));
    };
    engine.startRun(recipe, take, { paused: false }).then((summary) => {
      run = summary.id;
    }, failed);
  });
  await asking;
  const [summary] = (await engine.runs()).filter((r) => r.id === run);
  const stride = Math.max(1, Math.ceil(frames.length / MOST_FRAMES));
  return {
    format: 'prelude-recording',
    version: 1,
    recordedOn: new Date().toISOString().slice(0, 10),
    adapter: deviceName(device),
    software: device.software,
    modelId: model.id,
    modelTitle: model.title,
    layers: model.layers,
    parameters: model.parameters,
    dataName: data.name,
    recipe,
    learned: recipe.promptLength * model.width,
    seconds: short(summary?.seconds ?? 0),
    steps,
    evals,
    baselines: { majority: { label: task.majority.label, dev: short(task.majority.dev) }, untuned, written },
    text,
    tokens: reading.tokens,
    answers,
    frames: frames
      .filter((_, i) => i % stride === 0 || i === frames.length - 1)
      .map((frame) => ({
        step: frame.step,
        tokenGrad: round(frame.tokenGrad),
        tokenMoved: round(frame.tokenMoved),
        encoderGrad: round(frame.encoderGrad),
        decoderGrad: round(frame.decoderGrad),
      })),
  };
}

Object.assign(window, { record });
