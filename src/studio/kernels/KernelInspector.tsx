import { Link } from 'wouter';
import { useStore } from 'zustand';
import type { StepProfile } from '../../worker/protocol.ts';
import { Button, Empty } from '../components/index.ts';
import { Section } from '../components/sections.tsx';
import { formatCount, formatNumber, formatPercent, plural } from '../format.ts';
import { perStudio } from '../perStudio.ts';
import { liveRun } from '../stores/runs.ts';
import { useRecipe, useRuns, useSession, useStudio } from '../studio.tsx';
import { CostTable } from './CostTable.tsx';
import { DispatchDetail } from './DispatchDetail.tsx';
import './kernels.css';
import { createProfileStore } from './profileStore.ts';
import { formatMicroseconds, PART_NAMES, partSums } from './profileView.ts';
import { Roofline } from './Roofline.tsx';
import { Timeline } from './Timeline.tsx';

const profileOf = perStudio(({ engine, session, notices }) => createProfileStore(engine, session, notices));

/** `#/kernels`: one training step, dispatch by dispatch, with the shader of each. */
export function KernelInspector() {
  const studio = useStudio();
  const store = profileOf(studio);
  const { profile, of, measuring, selected, grouping } = useStore(store);
  const { measure, select, group } = store.getState();
  const recipe = useRecipe((s) => s.recipe);
  const live = useRuns((s) => liveRun(s) !== undefined || s.starting);
  const task = useSession((s) => s.task);
  const onProcessor = useSession((s) => s.device?.engine === 'onnx');
  return (
    <main id="main" className="page kernels">
      <div className="page-head">
        <h1>Kernels</h1>
        <p>
          One training step as the device sees it: every dispatch of a shader, how long it took, and how near
          it came to what this device can give. <Link href="/model">Back to the model</Link>
        </p>
      </div>
      {onProcessor ? (
        <Empty
          action={
            <Button isDisabled={live} onPress={() => void studio.session.getState().switchEngine('webgpu')}>
              Move the model to WebGPU
            </Button>
          }
        >
          ONNX Runtime trains on the processor here and tells nothing of its kernels. On WebGPU a step can be
          looked into; the task stays, and the Model station moves it back.
        </Empty>
      ) : (
        <>
          <div className="kernels-measure">
            <Button isDisabled={measuring || live || !task} onPress={() => void measure(recipe)}>
              {profile ? 'Measure again' : 'Measure a step'}
            </Button>
            <span className="muted small" role="status">
              {measuring
                ? 'A step is measured, every dispatch apart. The prompt is thrown away afterwards.'
                : live
                  ? 'A run goes. Stop it, or let it end first.'
                  : !task
                    ? 'A model and a table come first.'
                    : profile
                      ? of
                      : 'With the model, the rows and the recipe as they stand; nothing of it stays.'}
            </span>
          </div>
          {profile ? (
            <>
              <Overview profile={profile} />
              <Section
                title="Timeline"
                note="Each bar is a dispatch. Choose one to see its shader; the arrow keys go to its neighbours."
              >
                <Timeline profile={profile} selected={selected ?? 0} onSelect={select} />
              </Section>
              <DispatchDetail profile={profile} index={selected ?? 0} onSelect={select} />
              <Section
                title="Where the time goes"
                note="The most expensive first. A press shows its longest dispatch above."
              >
                <CostTable
                  profile={profile}
                  grouping={grouping}
                  onGroup={group}
                  selected={selected ?? 0}
                  onSelect={select}
                />
              </Section>
              <Section
                title="Roofline"
                note="Up: operations a second. Right: operations for each byte that is moved. Under the slope memory is the limit, under the flat roof arithmetic; both roofs were measured on this device just now."
              >
                <Roofline profile={profile} selected={selected ?? 0} />
              </Section>
            </>
          ) : (
            !measuring && (
              <Empty>The step’s timeline, its most expensive kernels and their WGSL will stand here.</Empty>
            )
          )}
        </>
      )}
    </main>
  );
}

function Overview({ profile }: { profile: StepProfile }) {
  const { dispatches, spanUs, busyUs, stepMs, ceiling, batch, clock, adapter, sources } = profile;
  return (
    <div className="kernels-overview">
      <p>
        <strong>{plural(dispatches.length, 'dispatch', 'dispatches')}</strong> of{' '}
        {plural(sources.length, 'shader')} in <strong>{formatMicroseconds(spanUs)}</strong>, of which the
        device was busy for {formatMicroseconds(busyUs)}; {formatCount(batch.tokens)} tokens of{' '}
        {plural(batch.timed, 'row')}. The same step, not looked at, takes {formatMicroseconds(stepMs * 1000)}.
      </p>
      <ul aria-label="Parts of the step">
        {partSums(profile).map(({ part, share, count, us }) => (
          <li key={part} data-part={part}>
            <i aria-hidden /> {PART_NAMES[part]} <b>{formatPercent(share, 0)}</b>{' '}
            <span className="muted">
              {formatMicroseconds(us)}, {plural(count, 'dispatch', 'dispatches')}
            </span>
          </li>
        ))}
      </ul>
      <p className="small muted">
        {adapter}: {formatNumber(ceiling.gflops)} GFLOP/s and {formatNumber(ceiling.gbytesPerSecond)} GB/s at
        most, measured.{' '}
        {clock === 'timestamps'
          ? 'Times are the device’s own clock, which browsers round.'
          : 'The device has no clock to read: each dispatch was sent alone and waited for, so that short ones count for too much.'}
      </p>
    </div>
  );
}
