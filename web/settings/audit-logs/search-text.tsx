import { CloseButton, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import classes from './filter-bar.module.css';

const TYPING_MS = 200;

/** Free text: taken when typing rests, and at once with Enter. */
export function SearchText(props: {
  value: string;
  onChange: (value: string, options: { readonly replace: boolean }) => void;
}) {
  const { value, onChange } = props;
  const [text, setText] = useState(value);
  const typing = useRef<ReturnType<typeof setTimeout>>(undefined);
  const sent = useRef(value);
  // Back, a saved view or Clear changed what is looked for.
  useEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    clearTimeout(typing.current);
    setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(typing.current), []);

  const send = (next: string) => {
    clearTimeout(typing.current);
    const q = next.trim();
    if (q === sent.current) return;
    // Words that are added to or corrected take the place of those before in the history.
    const replace = sent.current !== '' && q !== '';
    sent.current = q;
    onChange(q, { replace });
  };
  const type = (next: string) => {
    setText(next);
    clearTimeout(typing.current);
    typing.current = setTimeout(() => send(next), TYPING_MS);
  };
  return (
    <TextInput
      className={classes['search']!}
      size="xs"
      type="search"
      aria-label="Search e-mail, name, description, event type or IP address"
      placeholder="Search e-mail, description, IP …"
      leftSection={<IconSearch size={14} aria-hidden />}
      maxLength={512}
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Enter' && send(text)}
      rightSection={
        text !== '' && (
          <CloseButton
            size="xs"
            aria-label="Clear the search"
            onClick={() => {
              setText('');
              send('');
            }}
          />
        )
      }
    />
  );
}
