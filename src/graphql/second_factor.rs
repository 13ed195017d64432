//! Second factors: what the member shows beside the code from their e-mail.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    context::{Ask, request},
    member::{Member, Viewer},
    moderation::member_id,
    payload::{UserError, outcome, payload, top},
};
use crate::{
    actions::{
        access::Administrator,
        audit::Reason,
        second_factor::{self as action, Added, Answer, Wish},
    },
    clock::Timestamp,
    domain::{
        factor_challenge::FactorChallenge,
        second_factor::{Factor, FactorKind, SecondFactors as Known},
    },
    error::{Code, Error, not_found},
    ids::Id,
    tokens::passkey,
};

/// What a member shows beside the code from their e-mail, and whether they have to.
#[derive(SimpleObject)]
pub struct SecondFactors {
    /// Oldest first. Whoever has one shows one at every sign-in.
    pub factors: Vec<SecondFactor>,
    /// Recovery codes that are not used yet.
    pub recovery_codes_left: usize,
    /// When this session last showed one.
    pub shown_at: Option<Timestamp>,
    /// Whether this session is good for what the member's role allows. Moderators and administrators act as
    /// members until it has shown a factor, unless the installation does without.
    pub acts_as_role: bool,
    /// Whether passkeys work at the address of this installation.
    pub passkeys_work: bool,
}

/// An authenticator app or a passkey.
pub struct SecondFactor(Factor);

/// An authenticator app or a passkey.
#[Object]
impl SecondFactor {
    async fn id(&self) -> ID {
        self.0.id.as_str().into()
    }

    async fn kind(&self) -> FactorKind {
        self.0.kind()
    }

    /// On which device it is, as the member says.
    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    async fn last_used_at(&self) -> Option<Timestamp> {
        self.0.last_used_at
    }
}

impl SecondFactors {
    /// The viewer's.
    pub async fn of_viewer(ctx: &Context<'_>) -> Result<Self> {
        let known = action::of(ctx.app(), ctx.viewer()).await.map_err(top)?;
        let signed_in = ctx.viewer().signed_in();
        let (factors, left) = known.map_or_else(Default::default, |known: Known| {
            (known.factors.into_iter().map(SecondFactor).collect(), known.recovery_codes.len())
        });
        Ok(Self {
            factors,
            recovery_codes_left: left,
            shown_at: signed_in.and_then(|signed_in| signed_in.factor_at),
            acts_as_role: ctx.viewer().acts_as() == ctx.viewer().role,
            passkeys_work: passkey::work_here(ctx.app()),
        })
    }
}

#[derive(Clone, InputObject)]
pub struct StartTotpInput {
    pub client_mutation_id: Option<String>,
}

/// Never logged, so it has no `Debug`.
#[derive(Default, SimpleObject)]
pub struct StartTotpPayload {
    /// Goes with the app's first code, within ten minutes.
    pub challenge_id: Option<ID>,
    /// For typing into an app: base 32, by fours.
    pub secret: Option<String>,
    /// The same as an address (`otpauth://…`), for a link or a square of dots.
    pub uri: Option<String>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct AddTotpInput {
    /// Of `startTotp`.
    pub challenge_id: ID,
    /// The six digits that the app shows now.
    pub code: String,
    /// On which device it is; at most 50 characters.
    #[graphql(default)]
    pub name: String,
    /// As in `CreatePostInput`, of the name.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct StartPasskeyInput {
    pub client_mutation_id: Option<String>,
}

/// What a browser is asked.
#[derive(Default, SimpleObject)]
pub struct StartPasskeyPayload {
    /// Goes with the browser's answer, within ten minutes.
    pub challenge_id: Option<ID>,
    /// `publicKey` for `navigator.credentials.create`, as JSON.
    pub public_key: Option<String>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct AddPasskeyInput {
    /// Of `startPasskey`.
    pub challenge_id: ID,
    /// What the browser answered, as JSON: `JSON.stringify(credential)`.
    pub credential: String,
    /// On which device it is; at most 50 characters.
    #[graphql(default)]
    pub name: String,
    /// As in `CreatePostInput`, of the name.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct RenewRecoveryCodesInput {
    pub client_mutation_id: Option<String>,
}

/// Never logged, so it has no `Debug`.
#[derive(SimpleObject)]
pub struct SecondFactorPayload {
    /// None when nothing was changed.
    pub viewer: Option<Viewer>,
    /// New recovery codes, each of which works once: with the first factor, and when they are renewed. They
    /// are shown this once and stored nowhere: none in the answer to a repeat of the same
    /// `clientMutationId`.
    pub recovery_codes: Option<Vec<String>>,
    /// An access token in place of the one of this request, of the same session, which has shown a factor.
    pub access_token: Option<String>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct StartSecondFactorInput {
    pub client_mutation_id: Option<String>,
}

/// What a browser is asked.
#[derive(Default, SimpleObject)]
pub struct StartSecondFactorPayload {
    /// Goes with the browser's answer, within ten minutes.
    pub challenge_id: Option<ID>,
    /// `publicKey` for `navigator.credentials.get`, as JSON; none where the member has no passkey.
    pub public_key: Option<String>,
    /// What to put right; empty when all went well.
    pub user_errors: Vec<UserError>,
    /// As sent.
    pub client_mutation_id: Option<String>,
}

/// A code alone, or a browser's answer with its challenge.
#[derive(Clone, InputObject)]
pub struct ShowSecondFactorInput {
    /// Of an authenticator app, or a recovery code.
    pub code: Option<String>,
    /// Of `startSecondFactor`.
    pub challenge_id: Option<ID>,
    /// What the browser answered, as JSON: `JSON.stringify(credential)`.
    pub credential: Option<String>,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct RemoveSecondFactorInput {
    pub id: ID,
    pub client_mutation_id: Option<String>,
}

#[derive(Clone, InputObject)]
pub struct ResetSecondFactorInput {
    pub member_id: ID,
    /// Why; at most 500 characters. The member and moderators read it.
    pub reason: String,
    /// As in `SetRoleInput`.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

payload!(RemoveSecondFactorPayload { viewer: Viewer });
payload!(ResetSecondFactorPayload { member: Member });

impl SecondFactorPayload {
    fn of(
        ctx: &Context<'_>,
        added: crate::error::Result<Added>,
        client_mutation_id: Option<String>,
    ) -> Result<Self> {
        let (added, user_errors) = outcome(added)?;
        let viewer = added.is_some().then(|| Viewer::of(ctx));
        let (recovery_codes, access_token) =
            added.map_or((None, None), |added| (added.recovery_codes, Some(added.access)));
        Ok(Self { viewer, recovery_codes, access_token, user_errors, client_mutation_id })
    }
}

fn challenge_id(id: &ID) -> Result<Id<FactorChallenge>> {
    Id::parse(id).ok_or_else(|| top(not_found("challenge any more")))
}

#[derive(Default)]
pub struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Begins to register an authenticator app: what to tell the app. For people who have no factor yet, or
    /// showed one within ten minutes; so are the others that change factors.
    async fn start_totp(&self, ctx: &Context<'_>, input: StartTotpInput) -> Result<StartTotpPayload> {
        let request = request("startTotp", &input, input.client_mutation_id.as_ref());
        let started = action::start_totp(ctx.app(), ctx.viewer(), &request).await;
        let (challenge, user_errors) = outcome(started)?;
        let payload = StartTotpPayload {
            user_errors,
            client_mutation_id: input.client_mutation_id,
            ..Default::default()
        };
        let Some(challenge) = challenge else { return Ok(payload) };
        let told = action::enrolment(ctx.app(), ctx.viewer(), &challenge.id).await.map_err(top)?;
        let challenge_id = Some(challenge.id.as_str().into());
        Ok(StartTotpPayload { challenge_id, secret: Some(told.secret), uri: Some(told.uri), ..payload })
    }

    /// Registers an authenticator app by its first code, and tells the member by e-mail.
    async fn add_totp(&self, ctx: &Context<'_>, input: AddTotpInput) -> Result<SecondFactorPayload> {
        let request = request("addTotp", &input, input.client_mutation_id.as_ref());
        let challenge = challenge_id(&input.challenge_id)?;
        let wish = Wish { challenge, name: input.name, acknowledged: input.acknowledge_personal_data.into() };
        let added = action::add_totp(ctx.app(), ctx.viewer(), &wish, &input.code, &request).await;
        SecondFactorPayload::of(ctx, added, input.client_mutation_id)
    }

    /// Begins to register a passkey: what to ask the browser.
    async fn start_passkey(
        &self,
        ctx: &Context<'_>,
        input: StartPasskeyInput,
    ) -> Result<StartPasskeyPayload> {
        let request = request("startPasskey", &input, input.client_mutation_id.as_ref());
        let started = action::start_passkey(ctx.app(), ctx.viewer(), &request).await;
        let (challenge, user_errors) = outcome(started)?;
        let (challenge_id, public_key) = challenge.map_or((None, None), asked);
        let client_mutation_id = input.client_mutation_id;
        Ok(StartPasskeyPayload { challenge_id, public_key, user_errors, client_mutation_id })
    }

    /// Registers the passkey in the browser's answer, and tells the member by e-mail.
    async fn add_passkey(&self, ctx: &Context<'_>, input: AddPasskeyInput) -> Result<SecondFactorPayload> {
        let request = request("addPasskey", &input, input.client_mutation_id.as_ref());
        let challenge = challenge_id(&input.challenge_id)?;
        let wish = Wish { challenge, name: input.name, acknowledged: input.acknowledge_personal_data.into() };
        let added = action::add_passkey(ctx.app(), ctx.viewer(), &wish, &input.credential, &request).await;
        SecondFactorPayload::of(ctx, added, input.client_mutation_id)
    }

    /// Makes new recovery codes; those that are left of the old ones work no more.
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        input: RenewRecoveryCodesInput,
    ) -> Result<SecondFactorPayload> {
        let request = request("renewRecoveryCodes", &input, input.client_mutation_id.as_ref());
        let renewed = action::renew_codes(ctx.app(), ctx.viewer(), &request).await;
        SecondFactorPayload::of(ctx, renewed, input.client_mutation_id)
    }

    /// Begins to show a passkey in this session: what to ask the browser.
    async fn start_second_factor(
        &self,
        ctx: &Context<'_>,
        input: StartSecondFactorInput,
    ) -> Result<StartSecondFactorPayload> {
        let request = request("startSecondFactor", &input, input.client_mutation_id.as_ref());
        let started = action::start_showing(ctx.app(), ctx.viewer(), &request).await;
        let (challenge, user_errors) = outcome(started)?;
        let (challenge_id, public_key) = challenge.map_or((None, None), asked);
        let client_mutation_id = input.client_mutation_id;
        Ok(StartSecondFactorPayload { challenge_id, public_key, user_errors, client_mutation_id })
    }

    /// Shows a second factor in this session. Moderators and administrators act as such from then on, with
    /// the new access token.
    async fn show_second_factor(
        &self,
        ctx: &Context<'_>,
        input: ShowSecondFactorInput,
    ) -> Result<SecondFactorPayload> {
        let request = request("showSecondFactor", &input, input.client_mutation_id.as_ref());
        let challenge = input.challenge_id.as_ref().map(challenge_id).transpose()?;
        let (app, viewer) = (ctx.app(), ctx.viewer());
        let shown = match (&input.code, &input.credential) {
            (Some(code), None) => {
                let shown = action::show(app, viewer, None, Answer::Code(code), &request).await;
                shown.map_err(|error| error.in_field("code"))
            }
            (None, Some(credential)) if challenge.is_some() => {
                let answer = Answer::Passkey(credential);
                let shown = action::show(app, viewer, challenge.as_ref(), answer, &request).await;
                shown.map_err(|error| error.in_field("credential"))
            }
            _ => {
                let message = "Send a code, or a challengeId with the browser's answer to it.";
                Err(Error::refused("code", Code::Required, message))
            }
        };
        let (access_token, user_errors) = outcome(shown)?;
        let viewer = access_token.is_some().then(|| Viewer::of(ctx));
        let client_mutation_id = input.client_mutation_id;
        Ok(SecondFactorPayload {
            viewer,
            recovery_codes: None,
            access_token,
            user_errors,
            client_mutation_id,
        })
    }

    /// Removes an authenticator app or a passkey of the member, who is told by e-mail. With the last one the
    /// recovery codes go.
    async fn remove_second_factor(
        &self,
        ctx: &Context<'_>,
        input: RemoveSecondFactorInput,
    ) -> Result<RemoveSecondFactorPayload> {
        let request = request("removeSecondFactor", &input, input.client_mutation_id.as_ref());
        let id = Id::parse(&input.id).ok_or_else(|| top(not_found("second factor")))?;
        let removed = action::remove(ctx.app(), ctx.viewer(), &id, &request).await;
        RemoveSecondFactorPayload::of(removed, input.client_mutation_id, |member| Viewer(member.into()))
    }

    /// Takes all factors off a member who has lost them, and ends their sessions. They are told by e-mail,
    /// and sign in with a code by e-mail alone until they register new ones.
    async fn reset_second_factor(
        &self,
        ctx: &Context<'_>,
        input: ResetSecondFactorInput,
    ) -> Result<ResetSecondFactorPayload> {
        let request = request("resetSecondFactor", &input, input.client_mutation_id.as_ref());
        let administrator = Administrator::of(ctx.viewer()).map_err(top)?;
        let id = member_id(&input.member_id)?;
        let done = match Reason::parse("reason", &input.reason, input.acknowledge_personal_data.into()) {
            Ok(why) => action::reset(ctx.app(), &administrator, &id, &why, &request).await,
            Err(problem) => Err(problem),
        };
        ResetSecondFactorPayload::of(done, input.client_mutation_id, |member| Member(member.into()))
    }
}

fn asked(challenge: FactorChallenge) -> (Option<ID>, Option<String>) {
    let public_key = challenge.ceremony.map(|ceremony| ceremony.options);
    (Some(challenge.id.as_str().into()), public_key)
}
