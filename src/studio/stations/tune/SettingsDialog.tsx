import type { ReactNode } from 'react';
import type { InitSettings, OptimizerSettings } from '../../../tuning/recipe.ts';
import { Button, Checkbox, Dialog, NumberField, Select, TextField } from '../../components/index.ts';
import { INIT_NAMES, OPTIMIZER_NAMES } from '../../stores/recipe.ts';
import { fixedParts } from '../../stores/teacher.ts';
import { useRecipe, useStudio } from '../../studio.tsx';

/** Every value of the recipe, editable. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const recipe = useRecipe((s) => s.recipe);
  const { recipe: store, teacher } = useStudio();
  const { set, applyPaper, applyDefault } = store.getState();
  /** What a teacher's link holds cannot be changed here either. */
  const held = new Set(fixedParts(teacher));
  return (
    <Dialog title="All settings" isOpen onClose={onClose} width={720}>
      <div className="settings">
        <Group title="The soft prompt">
          <NumberField
            label="Prompt length (virtual tokens)"
            isDisabled={held.has('promptLength')}
            value={recipe.promptLength}
            min={1}
            max={150}
            help="The paper: 100."
            onChange={(promptLength) => set({ promptLength })}
          />
          <fieldset className="settings-part" disabled={held.has('init')} aria-label="Start">
            <InitFields init={recipe.init} onChange={(init) => set({ init })} />
          </fieldset>
        </Group>
        <Group title="Steps">
          <NumberField
            label="Steps"
            isDisabled={held.has('steps')}
            value={recipe.steps}
            min={1}
            max={1e6}
            onChange={(steps) => set({ steps })}
          />
          <NumberField
            label="Batch (rows a step)"
            isDisabled={held.has('batchSize')}
            value={recipe.batchSize}
            min={1}
            max={1024}
            onChange={(batchSize) => set({ batchSize })}
          />
          <NumberField
            label="Rows on the GPU at once"
            value={recipe.microBatch}
            min={0}
            help="0: as many as fit. Fewer, and the gradient is gathered over several."
            onChange={(microBatch) => set({ microBatch })}
          />
          <NumberField
            label="Seed"
            isDisabled={held.has('seed')}
            value={recipe.seed}
            min={0}
            onChange={(seed) => set({ seed })}
          />
        </Group>
        <Group title="Loss and the dev set">
          <Select
            label="Loss over"
            isDisabled={held.has('loss')}
            choices={[
              { id: 'verbalizers', label: 'the labels', note: 'only the labels’ words compete' },
              { id: 'vocabulary', label: 'the whole vocabulary', note: 'as in the paper' },
            ]}
            value={recipe.loss}
            onChange={(loss) => set({ loss })}
          />
          <NumberField
            label="Measure dev every (steps)"
            value={recipe.evalEvery}
            min={1}
            onChange={(evalEvery) => set({ evalEvery })}
          />
          <NumberField
            label="Patience (measurements)"
            value={recipe.patience}
            min={0}
            help="Stop after this many without a better dev accuracy; 0: never."
            onChange={(patience) => set({ patience })}
          />
        </Group>
        <Group title="Optimizer">
          <fieldset className="settings-part" disabled={held.has('optimizer')} aria-label="Optimizer">
            <OptimizerFields optimizer={recipe.optimizer} />
          </fieldset>
          <NumberField
            label="Clip the gradient’s norm to"
            value={recipe.clipNorm}
            min={0}
            help="0: never."
            onChange={(clipNorm) => set({ clipNorm })}
          />
        </Group>
      </div>
      <div className="dialog-actions">
        <Button onPress={applyDefault}>Workshop’s values</Button>
        <Button onPress={applyPaper}>Paper’s values</Button>
        <Button onPress={onClose}>Done</Button>
      </div>
    </Dialog>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}

const INIT_NOTES: Record<InitSettings['kind'], string> = {
  random: 'uniform around zero',
  vocabulary: 'embeddings of frequent words',
  labels: 'embeddings of the labels, then sampled words',
  text: 'embeddings of a text of yours',
};

function InitFields({ init, onChange }: { init: InitSettings; onChange: (init: InitSettings) => void }) {
  const { setInit } = useStudio().recipe.getState();
  return (
    <>
      <Select
        label="Start from"
        choices={(Object.keys(INIT_NAMES) as InitSettings['kind'][]).map((id) => ({
          id,
          label: INIT_NAMES[id],
          note: INIT_NOTES[id],
        }))}
        value={init.kind}
        onChange={setInit}
      />
      {init.kind === 'random' && (
        <NumberField
          label="Range (each way from zero)"
          value={init.range}
          min={1e-6}
          max={100}
          help="The paper: 0.5."
          onChange={(range) => onChange({ ...init, range })}
        />
      )}
      {(init.kind === 'vocabulary' || init.kind === 'labels') && (
        <NumberField
          label="Words drawn from the most frequent"
          value={init.mostLikely}
          min={1}
          help="The paper: 5000."
          onChange={(mostLikely) => onChange({ ...init, mostLikely })}
        />
      )}
      {init.kind === 'text' && (
        <TextField
          label="Own words"
          value={init.text}
          help="Repeated or cut to the prompt’s length."
          onChange={(text) => text && onChange({ ...init, text })}
        />
      )}
    </>
  );
}

function OptimizerFields({ optimizer }: { optimizer: OptimizerSettings }) {
  const { setOptimizer, changeOptimizer } = useStudio().recipe.getState();
  const number = (key: string, label: string, value: number, min: number, max?: number, help?: string) => (
    <NumberField
      label={label}
      value={value}
      min={min}
      max={max}
      help={help}
      onChange={(next) => changeOptimizer({ [key]: next })}
    />
  );
  return (
    <>
      <Select
        label="Optimizer"
        choices={(Object.keys(OPTIMIZER_NAMES) as OptimizerSettings['kind'][]).map((id) => ({
          id,
          label: OPTIMIZER_NAMES[id],
          note: id === 'adafactor' ? 'as in the paper' : undefined,
        }))}
        value={optimizer.kind}
        onChange={setOptimizer}
      />
      {number('learningRate', 'Learning rate', optimizer.learningRate, 1e-9)}
      {optimizer.kind === 'adafactor' && (
        <>
          {number('weightDecay', 'Weight decay', optimizer.weightDecay, 0)}
          {number('decayRate', 'Decay rate of the second moment', optimizer.decayRate, 1e-6, 1)}
          {number('clipThreshold', 'Clip the update’s RMS to', optimizer.clipThreshold, 1e-6)}
          <Select
            label="Second moment factored"
            choices={[
              { id: 'auto', label: 'from 128 rows on', note: 'as t5x does' },
              { id: 'never', label: 'never' },
              { id: 'always', label: 'always' },
            ]}
            value={optimizer.factored}
            onChange={(factored) => changeOptimizer({ factored })}
          />
          <Checkbox
            isSelected={optimizer.decayTimesRate}
            onChange={(decayTimesRate) => changeOptimizer({ decayTimesRate })}
          >
            Weight decay times the rate (as transformers does)
          </Checkbox>
        </>
      )}
      {optimizer.kind === 'adamw' && (
        <>
          {number('weightDecay', 'Weight decay', optimizer.weightDecay, 0)}
          {number('beta1', 'Beta 1', optimizer.beta1, 0, 0.999999)}
          {number('beta2', 'Beta 2', optimizer.beta2, 0, 0.999999)}
          {number('epsilon', 'Epsilon', optimizer.epsilon, 1e-20)}
        </>
      )}
      {optimizer.kind === 'sgd' && number('momentum', 'Momentum', optimizer.momentum, 0, 0.999999)}
    </>
  );
}
