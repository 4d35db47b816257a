import type { ComponentChildren } from 'preact';

/** A page with one thing to do. */
export function Card({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="card">
      <p class="brand">Perigee</p>
      <h1>{title}</h1>
      {children}
    </main>
  );
}

/** Leads to the sign-in, which comes back here. */
export function SignedOut() {
  return (
    <Card title="The reviewers’ desk">
      <p>Here people decide about flagged accounts. Sign in with the account that you review with.</p>
      <p>
        <a class="button" href="/sign-in?to=desk">
          Sign in
        </a>
      </p>
    </Card>
  );
}

/** For an account that reviews nothing. */
export function NoDesk() {
  return (
    <Card title="There is no desk for this account">
      <p>This page is for people who review flagged accounts. The operator gives that role, and may have ended it.</p>
      <div class="row">
        <a class="button" href="/sign-in?to=desk">
          Sign in as somebody else
        </a>
        <a class="button quiet" href="/account">
          Your account
        </a>
      </div>
    </Card>
  );
}
