import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { FormProblem } from './form.tsx';

/** Asks before something that cannot be taken back, or that others notice; `children` say what will happen. */
export function Confirm({
  opened,
  onClose,
  title,
  children,
  action,
  run,
  typed,
  color = 'red',
}: {
  opened: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  /** The button's words: what will be done. */
  action: string;
  run: () => Promise<unknown>;
  /** To be typed before the button does it. */
  typed?: { readonly text: string; readonly label: string };
  color?: string;
}) {
  const [text, setText] = useState('');
  const { mutate, isPending, error, reset } = useMutation({ mutationFn: run, onSuccess: () => close() });
  const close = () => {
    setText('');
    reset();
    onClose();
    setTimeout(focusPageIfLost, RETURNED_MS);
  };
  const mismatch = typed !== undefined && text.trim() !== typed.text;
  const [told, setTold] = useState(false);
  return (
    <Modal
      opened={opened}
      onClose={() => isPending || close()}
      title={title}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setTold(mismatch);
          if (!mismatch && !isPending) mutate();
        }}
      >
        <Stack gap="md">
          {children}
          {typed && (
            <TextInput
              label={typed.label}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              error={told && mismatch ? 'This is not the same.' : undefined}
              autoComplete="off"
              data-autofocus
            />
          )}
          {error && <FormProblem error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" color={color} loading={isPending}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** By then the dialog has faded and given the focus back, which it does only while the focus is nowhere else. */
const RETURNED_MS = 250;

/** Where the focus would be nowhere, because what opened a dialog is gone with what the dialog did. */
function focusPageIfLost(): void {
  if (document.activeElement === document.body) document.getElementById('page')?.focus({ preventScroll: true });
}
