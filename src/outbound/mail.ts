/** Mail to people: invitations, new passwords, alerts. Plain text; one recipient a mail, so that none sees the others. */
export interface Mailer {
  /** False without SMTP_URL: `send` then always says so. */
  readonly isConfigured: boolean;
  /** Never rejects: what went wrong, in plain words and without credentials; undefined: the server took it. */
  send(mail: Mail): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}
