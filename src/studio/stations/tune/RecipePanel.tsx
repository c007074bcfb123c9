import { lazy, Suspense, useState } from 'react';
import type { InitSettings } from '../../../tuning/recipe.ts';
import { Button, NumberField, Select, Slider } from '../../components/index.ts';
import { INIT_NAMES, OPTIMIZER_NAMES } from '../../stores/recipe.ts';
import { liveRun } from '../../stores/runs.ts';
import { CONTROLS, type Control } from '../../stores/teacher.ts';
import { useRecipe, useRuns, useSession, useStudio } from '../../studio.tsx';
import { LONGEST_TRACK, lengthToTrack, settingCount, trackToLength } from './promptLength.ts';

const SettingsDialog = lazy(async () => ({ default: (await import('./SettingsDialog.tsx')).SettingsDialog }));
const RateDialog = lazy(async () => ({ default: (await import('./RateDialog.tsx')).RateDialog }));

const INIT_CHOICES = (Object.keys(INIT_NAMES) as InitSettings['kind'][]).map((id) => ({
  id,
  label: INIT_NAMES[id],
}));

/** Enough to see how far apart the same recipe ends. */
const SEEDS = 3;

const TRIPLE: [Control, string][] = [
  ['steps', 'Steps'],
  ['batch', 'batch'],
  ['seed', 'seed'],
];

/** The recipe's most telling values; all of them are a press away. */
export function RecipePanel() {
  const recipe = useRecipe((s) => s.recipe);
  const live = useRuns((s) => liveRun(s) !== undefined);
  const ready = useSession((s) => s.phase === 'ready');
  const { recipe: store, runs, notices, teacher } = useStudio();
  const shown = (id: Control) => !teacher.hidden.has(id);
  const isDisabled = (id: Control) => teacher.locked.has(id);
  const { set, changeOptimizer, setInit, applyPaper, load } = store.getState();
  const [open, setOpen] = useState(false);
  const [finding, setFinding] = useState(false);
  return (
    <div className="recipe">
      <div className="panel-head">
        <h2>Recipe {live && <span className="muted next-run">of the next run</span>}</h2>
        {shown('settings') && (
          <Button
            variant="link"
            onPress={() => {
              const before = store.getState().recipe;
              applyPaper();
              notices.getState().toast('The recipe is the paper’s: 100 virtual tokens, 30,000 steps.', {
                undo: () => load(before),
              });
            }}
          >
            paper’s values
          </Button>
        )}
      </div>
      {shown('length') && (
        <Slider
          label="Prompt length"
          isDisabled={isDisabled('length')}
          value={lengthToTrack(recipe.promptLength)}
          min={0}
          max={LONGEST_TRACK}
          step={1}
          format={() => String(recipe.promptLength)}
          onChange={(position) => set({ promptLength: trackToLength(position) })}
        />
      )}
      {shown('start') && (
        <Select
          inline
          label="Start from"
          isDisabled={isDisabled('start')}
          choices={INIT_CHOICES}
          value={recipe.init.kind}
          onChange={setInit}
        />
      )}
      {shown('rate') && (
        <div className="rate-row">
          <NumberField
            inline
            label="Learning rate"
            isDisabled={isDisabled('rate')}
            value={recipe.optimizer.learningRate}
            min={1e-6}
            onChange={(learningRate) => changeOptimizer({ learningRate })}
          />
          {!isDisabled('rate') && (
            <Button
              variant="link"
              aria-label="Find a learning rate"
              isDisabled={!ready}
              onPress={() => setFinding(true)}
            >
              <u>find one</u>
            </Button>
          )}
        </div>
      )}
      <div className="triple">
        <span aria-hidden>
          {TRIPLE.filter(([id]) => shown(id))
            .map(([, name]) => name)
            .join(', ')}
        </span>
        {shown('steps') && (
          <NumberField
            hideLabel
            isDisabled={isDisabled('steps')}
            label="Steps"
            value={recipe.steps}
            min={1}
            max={1e6}
            onChange={(steps) => set({ steps })}
          />
        )}
        {shown('batch') && (
          <NumberField
            hideLabel
            isDisabled={isDisabled('batch')}
            label="Batch"
            value={recipe.batchSize}
            min={1}
            max={1024}
            onChange={(batchSize) => set({ batchSize })}
          />
        )}
        {shown('seed') && (
          <NumberField
            hideLabel
            label="Seed"
            isDisabled={isDisabled('seed')}
            value={recipe.seed}
            min={0}
            onChange={(seed) => set({ seed })}
          />
        )}
      </div>
      <LockedNote />
      <p className="small muted">
        {OPTIMIZER_NAMES[recipe.optimizer.kind]}, constant rate; loss over the{' '}
        {recipe.loss === 'vocabulary' ? 'vocabulary' : 'labels'}.{' '}
        {shown('settings') && (
          <Button variant="link" onPress={() => setOpen(true)}>
            <u>All {settingCount(recipe)} settings</u>
          </Button>
        )}
        {shown('seed') && !isDisabled('seed') && (
          <>
            {' · '}
            <Button
              variant="link"
              isDisabled={!ready || live}
              onPress={() => void runs.getState().startSeeds(recipe, SEEDS)}
            >
              <u>Train {SEEDS} seeds</u>
            </Button>
          </>
        )}
      </p>
      {finding && (
        <Suspense>
          <RateDialog onClose={() => setFinding(false)} />
        </Suspense>
      )}
      {open && (
        <Suspense>
          <SettingsDialog onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </div>
  );
}

function LockedNote() {
  const { locked } = useStudio().teacher;
  if (locked.size === 0) return null;
  const names = [...locked].map((id) => CONTROLS[id].title.toLowerCase());
  return <p className="small muted">Locked by the link that was opened: {names.join(', ')}.</p>;
}
