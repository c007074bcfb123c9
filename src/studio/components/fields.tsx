import { Check, ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import {
  Button as AriaButton,
  Checkbox as AriaCheckbox,
  NumberField as AriaNumberField,
  Select as AriaSelect,
  Slider as AriaSlider,
  TextArea as AriaTextArea,
  TextField as AriaTextField,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
  SliderOutput,
  SliderThumb,
  SliderTrack,
  Text,
} from 'react-aria-components';

interface FieldProps {
  label: string;
  /** Hides the label's words but keeps its name for assistive technology. */
  hideLabel?: boolean;
  help?: ReactNode;
  isDisabled?: boolean;
}

export interface Choice<Id extends string> {
  id: Id;
  label: string;
  note?: string;
  isDisabled?: boolean;
}

/** One of a few. `inline` puts label and value on one line. */
export function Select<Id extends string>({
  label,
  hideLabel,
  help,
  isDisabled,
  inline,
  choices,
  value,
  onChange,
}: FieldProps & {
  inline?: boolean;
  choices: readonly Choice<Id>[];
  value: Id | undefined;
  onChange: (value: Id) => void;
}) {
  return (
    <AriaSelect
      className={inline ? 'field field-row' : 'field'}
      isDisabled={isDisabled}
      value={value ?? null}
      onChange={(key) => key !== null && onChange(String(key) as Id)}
      disabledKeys={choices.filter((choice) => choice.isDisabled).map((choice) => choice.id)}
    >
      <Label className={hideLabel ? 'sr-only' : 'field-label'}>{label}</Label>
      <AriaButton className="button select-button">
        <SelectValue>{({ selectedText, defaultChildren }) => selectedText ?? defaultChildren}</SelectValue>
        <ChevronDown size={14} aria-hidden />
      </AriaButton>
      {help && (
        <Text slot="description" className="field-help">
          {help}
        </Text>
      )}
      <Popover className="popover" offset={4}>
        <ListBox items={choices}>
          {(choice) => (
            <ListBoxItem className="option" id={choice.id} textValue={choice.label}>
              {choice.label}
              {choice.note && <small>{choice.note}</small>}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

/** A number typed in; the value is given back when the field is left or Enter is pressed. */
export function NumberField({
  label,
  hideLabel,
  help,
  isDisabled,
  inline,
  value,
  min,
  max,
  step,
  onChange,
}: FieldProps & {
  inline?: boolean;
  value: number;
  min?: number;
  max?: number;
  step?: number;
  onChange: (value: number) => void;
}) {
  return (
    <AriaNumberField
      className={inline ? 'field field-row' : 'field'}
      value={value}
      minValue={min}
      maxValue={max}
      step={step}
      isDisabled={isDisabled}
      onChange={(next) => Number.isFinite(next) && onChange(next)}
      formatOptions={{ maximumSignificantDigits: 12, useGrouping: false }}
    >
      <Label className={hideLabel ? 'sr-only' : 'field-label'}>{label}</Label>
      <Input className="text-input" />
      {help && (
        <Text slot="description" className="field-help">
          {help}
        </Text>
      )}
      <FieldError className="field-error" />
    </AriaNumberField>
  );
}

/** A number on a track. `toValue` and `toPosition` bend the track, for example to a logarithm. */
export function Slider({
  label,
  value,
  min,
  max,
  step = 1,
  format = String,
  isDisabled,
  onChange,
}: Omit<FieldProps, 'help' | 'hideLabel'> & {
  value: number;
  min: number;
  max: number;
  step?: number;
  format?: (value: number) => string;
  onChange: (value: number) => void;
}) {
  return (
    <AriaSlider
      className="slider"
      value={value}
      minValue={min}
      maxValue={max}
      step={step}
      isDisabled={isDisabled}
      onChange={onChange}
    >
      <Label>{label}</Label>
      <SliderOutput>{() => format(value)}</SliderOutput>
      <SliderTrack className="slider-track">
        {({ state }) => (
          <>
            <div className="slider-fill" style={{ width: `${state.getThumbPercent(0) * 100}%` }} />
            <SliderThumb className="slider-thumb" />
          </>
        )}
      </SliderTrack>
    </AriaSlider>
  );
}

interface TextProps extends FieldProps {
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  error?: string;
}

export function TextField({
  type = 'text',
  placeholder,
  ...field
}: TextProps & { type?: 'text' | 'password' }) {
  return (
    <LabelledText {...field} type={type}>
      <Input placeholder={placeholder} />
    </LabelledText>
  );
}

export function TextArea({ rows = 3, placeholder, ...field }: TextProps & { rows?: number }) {
  return (
    <LabelledText {...field}>
      <AriaTextArea placeholder={placeholder} rows={rows} />
    </LabelledText>
  );
}

/** What stands around an input of text: its label, its help, what is wrong with it. */
function LabelledText({
  label,
  hideLabel,
  help,
  error,
  type,
  children,
  ...field
}: Omit<TextProps, 'placeholder'> & { type?: 'text' | 'password'; children: ReactNode }) {
  return (
    <AriaTextField
      {...field}
      className="field"
      type={type}
      autoComplete={type === 'password' ? 'off' : undefined}
      isInvalid={!!error}
    >
      <Label className={hideLabel ? 'sr-only' : 'field-label'}>{label}</Label>
      {children}
      {help && (
        <Text slot="description" className="field-help">
          {help}
        </Text>
      )}
      {error && <FieldError className="field-error">{error}</FieldError>}
    </AriaTextField>
  );
}

export function Checkbox({
  children,
  isSelected,
  isDisabled,
  onChange,
}: {
  children: ReactNode;
  isSelected: boolean;
  isDisabled?: boolean;
  onChange: (selected: boolean) => void;
}) {
  return (
    <AriaCheckbox className="checkbox" isSelected={isSelected} isDisabled={isDisabled} onChange={onChange}>
      <span className="checkbox-box" aria-hidden>
        {isSelected && <Check size={13} strokeWidth={3} />}
      </span>
      {children}
    </AriaCheckbox>
  );
}
