import { TextInput, type TextInputProps } from '@mantine/core';
import { useEffect, useRef } from 'react';

/** Six digits of an authenticator app, typed, pasted with a space between, or filled in by the browser. */
export function CodeInput({
  value,
  onChange,
  onComplete,
  ...props
}: Omit<TextInputProps, 'onChange' | 'value'> & {
  value?: string;
  onChange?: (value: string) => void;
  /** Called once the sixth digit is there. */
  onComplete: () => void;
}) {
  const complete = useRef(onComplete);
  complete.current = onComplete;
  useEffect(() => {
    if (value?.length === 6) complete.current();
  }, [value]);
  return (
    <TextInput
      {...props}
      value={value ?? ''}
      onChange={(event) => onChange?.(event.currentTarget.value.replace(/\D/g, '').slice(0, 6))}
      inputMode="numeric"
      autoComplete="one-time-code"
      spellCheck={false}
      styles={{ input: { letterSpacing: '0.4em', fontVariantNumeric: 'tabular-nums' } }}
    />
  );
}
