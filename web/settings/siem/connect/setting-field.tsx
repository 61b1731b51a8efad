import { Button, Checkbox, Group, PasswordInput, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import type { ChangeEvent } from 'react';
import type { Setting } from '../model.ts';
import classes from './setting-field.module.css';
import { isSet } from './settings-values.ts';
import { fieldId, type SettingsForm } from './use-settings-form.ts';

/** One field of a destination's form, as its kind describes it. */
export function SettingField({
  setting,
  form,
  readOnly,
  onBlur,
}: {
  setting: Setting;
  form: SettingsForm;
  readOnly: boolean;
  onBlur: () => void;
}) {
  const { name, title, description, input, required, secret, placeholder, choices } = setting;
  const value = form.values[name] ?? '';
  const text = typeof value === 'string' ? value : '';
  const common = {
    id: fieldId(name),
    label: title,
    required,
    error: form.errors[name],
    description: <Description setting={setting} form={form} />,
    inputWrapperOrder: ['label', 'input', 'error', 'description'] as const,
    ...(placeholder !== undefined && { placeholder }),
    onFocus: () => form.setFocused(name),
  };
  const typed = {
    ...common,
    value: text,
    readOnly,
    autoComplete: 'off',
    spellCheck: false,
    onChange: ({ currentTarget, nativeEvent }: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => {
      const isPasted = nativeEvent instanceof InputEvent && nativeEvent.inputType === 'insertFromPaste';
      if (isPasted) form.clean(setting, currentTarget.value);
      else form.set(name, currentTarget.value);
    },
    onBlur: () => {
      form.clean(setting, text);
      onBlur();
    },
  };
  if (secret && isSet(name, form.destination) && !form.replaced.has(name))
    return <StoredSecret setting={setting} form={form} readOnly={readOnly} />;
  if (input === 'flag')
    return (
      <Checkbox
        id={common.id}
        label={title}
        description={description}
        checked={value === true}
        disabled={readOnly}
        onFocus={common.onFocus}
        onBlur={onBlur}
        onChange={({ currentTarget }) => form.set(name, currentTarget.checked)}
      />
    );
  if (input === 'choice')
    return (
      <Select
        {...common}
        inputWrapperOrder={[...common.inputWrapperOrder]}
        value={text}
        readOnly={readOnly}
        allowDeselect={false}
        data={choices?.map((choice) => ({ value: choice.value, label: choice.title })) ?? []}
        onChange={(chosen) => chosen !== null && form.set(name, chosen)}
        onBlur={onBlur}
      />
    );
  if (input === 'certificate' || input === 'privateKey')
    return (
      <Textarea
        {...typed}
        inputWrapperOrder={[...typed.inputWrapperOrder]}
        classNames={{ input: `${classes['pem']} ${secret ? classes['masked'] : ''}` }}
        placeholder={`-----BEGIN ${secret ? 'PRIVATE KEY' : 'CERTIFICATE'}-----`}
        autosize
        minRows={3}
        maxRows={8}
      />
    );
  if (secret)
    return (
      <Stack gap={4} align="flex-start">
        <PasswordInput
          {...typed}
          inputWrapperOrder={[...typed.inputWrapperOrder]}
          w="100%"
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': 'Show or hide what is entered' }}
        />
        {form.replaced.has(name) && (
          <Button size="compact-xs" variant="subtle" onClick={() => form.replace(name, false)}>
            Keep the stored one
          </Button>
        )}
      </Stack>
    );
  return (
    <Stack gap="xs">
      {choices && (
        <Select
          label="Choose from a list"
          placeholder="or enter it below"
          value={choices.some((choice) => choice.value === text) ? text : null}
          readOnly={readOnly}
          data={choices.map((choice) => ({ value: choice.value, label: choice.title }))}
          onChange={(chosen) => chosen !== null && form.set(name, chosen)}
          onFocus={common.onFocus}
          onBlur={onBlur}
        />
      )}
      <TextInput
        {...typed}
        inputWrapperOrder={[...typed.inputWrapperOrder]}
        classNames={{ input: classes['input']! }}
        {...(input === 'url' && { inputMode: 'url' as const })}
      />
    </Stack>
  );
}

function Description({ setting: { name, description }, form }: { setting: Setting; form: SettingsForm }) {
  const note = form.notes[name];
  return (
    <>
      {note && (
        <Text span inherit c="var(--mantine-color-text)" role="status" display="block">
          {note}
        </Text>
      )}
      {description}
    </>
  );
}

/** A secret that is stored: it can be replaced or removed, never seen. */
function StoredSecret({ setting, form, readOnly }: { setting: Setting; form: SettingsForm; readOnly: boolean }) {
  const { name, title, description, required } = setting;
  const isRemoved = form.removed.has(name);
  return (
    <Stack gap={4}>
      <Text size="sm" fw={500}>
        {title}
      </Text>
      <Group gap="xs">
        <Text size="sm" c="dimmed">
          {isRemoved ? 'Removed when you save' : 'Set. It is stored encrypted and never shown.'}
        </Text>
        {!readOnly && (
          <Button
            id={fieldId(name)}
            size="compact-sm"
            variant="default"
            onClick={() => (isRemoved ? form.remove(name, false) : form.replace(name, true))}
            aria-label={isRemoved ? `Keep ${title}` : `Replace ${title}`}
          >
            {isRemoved ? 'Keep' : 'Replace'}
          </Button>
        )}
        {!readOnly && !required && !isRemoved && (
          <Button
            size="compact-sm"
            variant="subtle"
            onClick={() => form.remove(name, true)}
            aria-label={`Remove ${title}`}
          >
            Remove
          </Button>
        )}
      </Group>
      <Text size="xs" c="dimmed">
        {description}
      </Text>
    </Stack>
  );
}
