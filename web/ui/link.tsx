import { Anchor, type AnchorProps, Button, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ComponentPropsWithRef } from 'react';

type Native<P> = P & Omit<ComponentPropsWithRef<'a'>, keyof P>;

/** A link to a page of the console that looks like a button; takes the router's `to`, `params` and `search`. */
export const LinkButton = createLink((props: Native<ButtonProps>) => <Button component="a" {...props} />);
/** A link to a page of the console within text. */
export const PageLink = createLink((props: Native<AnchorProps>) => <Anchor {...props} />);
