import { Button, Stack } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { SettingField } from './setting-field.tsx';
import { byNeed } from './settings-values.ts';
import type { SettingsForm } from './use-settings-form.ts';

/** A destination's fields: those it needs, and the others folded under "More settings". */
export function SettingsFields({
  form,
  readOnly = false,
  onBlur,
}: {
  form: SettingsForm;
  readOnly?: boolean;
  onBlur: () => void;
}) {
  const { required, more } = byNeed(form.settings);
  return (
    <Stack gap="md">
      {required.map((setting) => (
        <SettingField key={setting.name} setting={setting} form={form} readOnly={readOnly} onBlur={onBlur} />
      ))}
      {more.length > 0 && (
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          style={{ alignSelf: 'flex-start' }}
          leftSection={
            form.more ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />
          }
          aria-expanded={form.more}
          onClick={() => form.setMore(!form.more)}
        >
          More settings
        </Button>
      )}
      {form.more &&
        more.map((setting) => (
          <SettingField key={setting.name} setting={setting} form={form} readOnly={readOnly} onBlur={onBlur} />
        ))}
    </Stack>
  );
}
