import { PageHeader } from '../../ui/page-header.tsx';
import { NameForm } from './name-form.tsx';
import { PasswordForm } from './password-form.tsx';
import { SecondFactor } from './second-factor.tsx';
import { Sessions } from './sessions.tsx';

/** One's own account, the same in every team. */
export function SecurityPage() {
  return (
    <>
      <PageHeader title="Security" lead="Your own account: the same in every team you are in." />
      <NameForm />
      <PasswordForm />
      <SecondFactor />
      <Sessions />
    </>
  );
}
