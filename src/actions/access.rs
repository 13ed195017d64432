//! Who is asking, and whether they may.

use std::sync::Arc;

use crate::{
    app::App,
    clock::Timestamp,
    domain::{
        member::{Member, Role},
        permission::{May, Permission, Scope, Scoped},
        session::Session,
        standing::Pending,
    },
    error::{Code, Error, Result, forbidden, unauthenticated},
    ids::Id,
};

/// What somebody showed to prove who they are.
#[derive(Clone, Debug)]
pub enum Credential {
    /// Somebody signed in.
    Session(SignedIn),
    /// A program holds a token for these scopes.
    Token(Arc<[Scope]>),
}

/// Whether a member may use the service at all. Whoever holds a member's tokens is told why they don't
/// work. Nobody else is: asking for a code, and coming back with it, is the same for all.
///
/// # Errors
/// `Unauthenticated` when there is nobody behind it any more; forbidden, with the reason, while the member is
/// suspended, was refused, or has no access any more.
pub fn let_in(app: &App, member: &Member) -> Result<()> {
    if member.is_former() {
        return Err(unauthenticated());
    }
    let (now, contact) = (app.clock.now(), &app.config.network.contact);
    if let Some(suspension) = member.suspended(now) {
        return Err(forbidden(&suspension.sentence(contact)));
    }
    match member.shut_out(now) {
        None => Ok(()),
        Some(why) => Err(forbidden(&why.sentence(contact))),
    }
}

/// A session, as the token says that it stands.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub session: Id<Session>,
    /// When it last showed a second factor that the member still has.
    pub factor_at: Option<Timestamp>,
    /// Whether that is enough to look after others, as the settings have it.
    pub strong: bool,
}

/// A signed-in member. Holding one proves that a valid token was presented and that the member may
/// use the service; actions ask for it, so that no surface can forget to check. Whether they take part
/// yet is asked by [`admit`](Viewer::admit), before anything runs.
///
/// The member in it acts as what the credential is good for: a moderator's token without the scope is a
/// member's, and so is their session without a second factor. So it is not to be stored; actions that change
/// a member load them.
#[derive(Clone)]
pub struct Viewer {
    member: Arc<Member>,
    credential: Credential,
    /// What they still have to wait for or do before they take part.
    pending: Option<Pending>,
}

impl Viewer {
    /// For jobs that finish what is a member's, whether they are let in (any more) or not.
    #[must_use]
    pub fn of_job(member: Member) -> Self {
        let signed_in = SignedIn { session: Id::of("none"), factor_at: None, strong: false };
        Self { member: Arc::new(member), credential: Credential::Session(signed_in), pending: None }
    }

    /// Only for what has checked the credential.
    ///
    /// # Errors
    /// Those of [`let_in`].
    pub fn proven(app: &App, mut member: Member, credential: Credential) -> Result<Self> {
        let_in(app, &member)?;
        let pending = member.standing.pending(&app.config.rules.version);
        // What was made by whoever had shown a factor is good for a role as long as there is one.
        let guarded = member.second_factor.is_some() || !app.config.second_factor.required;
        let most = match &credential {
            Credential::Session(session) if session.strong => Role::Administrator,
            Credential::Token(scopes) if guarded && scopes.contains(&Scope::Administration) => {
                Role::Administrator
            }
            Credential::Token(scopes) if guarded && scopes.contains(&Scope::Moderation) => Role::Moderator,
            Credential::Token(_) | Credential::Session(_) => Role::Member,
        };
        member.acting = (member.role >= Role::Moderator && member.role > most).then_some(most);
        Ok(Self { member: Arc::new(member), credential, pending })
    }

    /// Whether the viewer takes part: they accepted the rules, and a moderator approved them where one
    /// has to.
    ///
    /// # Errors
    /// Forbidden, with what is still missing.
    pub fn takes_part(&self) -> Result<()> {
        self.pending.map_or(Ok(()), |pending| Err(forbidden(pending.sentence())))
    }

    #[must_use]
    pub const fn pending(&self) -> Option<Pending> {
        self.pending
    }

    /// Whether the viewer may do this at all; where it is [`May::Own`], the action looks whose it is.
    ///
    /// # Errors
    /// Forbidden, with what is missing.
    pub fn admit(&self, permission: &Permission) -> Result<()> {
        if !permission.is_for_newcomers() {
            self.takes_part()?;
        }
        if let Credential::Token(_) = &self.credential {
            let scope = permission.scope.ok_or_else(|| {
                forbidden(&format!("{} is for people: no token is enough.", permission.operation))
            })?;
            self.scope(scope)?;
        }
        if permission.of(self.acts_as()) == May::Not { Err(self.not_as(permission.least())) } else { Ok(()) }
    }

    /// The same by the operation's name; one that has no row is refused.
    ///
    /// # Errors
    /// Forbidden, with what is missing.
    pub fn admit_to(&self, operation: &str) -> Result<()> {
        self.admit(Permission::named(operation).ok_or_else(|| forbidden("Nobody can do this."))?)
    }

    /// Whether the viewer's credential is good for reading this noun.
    ///
    /// # Errors
    /// Forbidden, with the scope that is missing.
    pub fn may_read<D: Scoped>(&self) -> Result<()> {
        D::READ.map_or(Ok(()), |scope| self.scope(scope))
    }

    fn scope(&self, needed: Scope) -> Result<()> {
        match &self.credential {
            Credential::Token(scopes) if !scopes.iter().any(|scope| scope.includes(needed)) => {
                Err(forbidden(&format!("This token needs the scope {}.", needed.name())))
            }
            Credential::Token(_) | Credential::Session(_) => Ok(()),
        }
    }

    /// What they are signed in by; none with a token.
    #[must_use]
    pub fn session(&self) -> Option<&Id<Session>> {
        self.signed_in().map(|signed_in| &signed_in.session)
    }

    /// How that session stands.
    #[must_use]
    pub fn signed_in(&self) -> Option<&SignedIn> {
        match &self.credential {
            Credential::Session(session) => Some(session),
            Credential::Token(_) => None,
        }
    }

    /// Why they may not do what is for this role: it is not theirs, or they have to show who they are first.
    fn not_as(&self, role: Role) -> Error {
        let who = if role == Role::Administrator { "administrators" } else { "moderators" };
        let only = format!("Only {who} can do this.");
        match self.signed_in() {
            Some(session) if self.role >= role && !session.strong => {
                let first = if self.second_factor.is_some() {
                    "Show your second factor first, at /second-factor or with showSecondFactor."
                } else {
                    "Set up a second factor first, an authenticator app or a passkey, at /second-factor or with startTotp."
                };
                second_factor_required(&format!("{only} {first}"))
            }
            _ => forbidden(&only),
        }
    }
}

/// Nothing but a second factor is missing.
pub(super) fn second_factor_required(message: &str) -> Error {
    Error::Coded(Code::SecondFactorRequired, message.to_owned())
}

impl std::ops::Deref for Viewer {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.member
    }
}

/// A signed-in member who looks after the house rules. Holding one proves that it was checked.
#[derive(Clone)]
pub struct Moderator(Viewer);

impl Moderator {
    /// # Errors
    /// Forbidden.
    pub fn of(viewer: &Viewer) -> Result<Self> {
        if viewer.moderates() { Ok(Self(viewer.clone())) } else { Err(viewer.not_as(Role::Moderator)) }
    }
}

impl std::ops::Deref for Moderator {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        &self.0
    }
}

/// A signed-in member who runs the service. Holding one proves that it was checked.
#[derive(Clone)]
pub struct Administrator(Viewer);

impl Administrator {
    /// # Errors
    /// Forbidden.
    pub fn of(viewer: &Viewer) -> Result<Self> {
        if viewer.acts_as() == Role::Administrator {
            return Ok(Self(viewer.clone()));
        }
        Err(viewer.not_as(Role::Administrator))
    }
}

impl std::ops::Deref for Administrator {
    type Target = Viewer;

    fn deref(&self) -> &Viewer {
        &self.0
    }
}
