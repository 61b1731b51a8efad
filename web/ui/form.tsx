import { Alert, Text } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { ApiProblem } from '../api/problem.ts';
import { sentence } from './words.ts';

export interface Submission {
  readonly onSubmit: (event?: FormEvent<HTMLFormElement>) => void;
  readonly busy: boolean;
  /** What the service refused and no field can say; stands above the button. */
  readonly problem: ReactNode;
  readonly reset: () => void;
}

/**
 * Sends a form, once at a time. What the service finds wrong with a field stands beside it: names of fields are those of
 * the API, dotted.
 */
export function useSubmission<Values extends object, Answer>(
  form: UseFormReturnType<Values>,
  send: (values: Values) => Promise<Answer>,
  done: (answer: Answer, values: Values) => unknown,
): Submission {
  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: send,
    onSuccess: done,
    onError: (error) => {
      const errors = fieldErrors(error, form.values);
      form.setErrors(errors);
      focusFirst(errors);
    },
  });
  const focusFirst = (errors: object): void => {
    const [path] = Object.keys(errors);
    if (path) form.getInputNode(path)?.focus();
  };
  return {
    onSubmit: form.onSubmit((values) => void (isPending || mutate(values)), focusFirst),
    busy: isPending,
    problem: error && !isAllOfFields(error, form.values) ? <FormProblem error={error} /> : null,
    reset,
  };
}

export function FormProblem({ error }: { error: unknown }) {
  return (
    <Alert color="red" variant="light" role="alert" py="xs">
      <Text size="sm">{error instanceof Error ? error.message : String(error)}</Text>
    </Alert>
  );
}

function fieldErrors(error: unknown, values: object): Record<string, string> {
  if (!(error instanceof ApiProblem)) return {};
  const own = error.errors.filter(({ path }) => hasField(values, path));
  return Object.fromEntries(own.map(({ path, message }) => [path, sentence(message)]));
}

function isAllOfFields(error: unknown, values: object): boolean {
  return (
    error instanceof ApiProblem && error.errors.length > 0 && error.errors.every(({ path }) => hasField(values, path))
  );
}

function hasField(values: object, path: string): boolean {
  let at: unknown = values;
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !(name in at)) return false;
    at = Object.entries(at).find(([key]) => key === name)?.[1];
  }
  return true;
}
