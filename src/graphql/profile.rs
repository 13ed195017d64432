//! Profiles.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::{
    attachment::Attachment,
    context::{Ask, request},
    member::Member,
    moderation::{act, member_id, moderator},
    organisation::Organisation,
    payload::{payload, top},
    topic::Topic,
};
use crate::{
    actions::{
        access::Administrator,
        photo,
        profile::{self as action, Changes, ShownChanges},
    },
    domain::{
        member as domain,
        profile::{Audience, Phone, Profile as Told, Shown},
    },
    error::Error,
};

/// What the viewer tells of themself, whole, and to whom it is shown.
pub struct Profile(pub Arc<domain::Member>);

/// What the viewer tells of themself, whole, and to whom it is shown.
#[Object]
impl Profile {
    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn job_title(&self) -> Option<&str> {
        self.0.job_title.as_deref()
    }

    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Organisation::load(ctx, self.0.organisation.as_ref()).await
    }

    async fn pronouns(&self) -> Option<&str> {
        self.0.profile.pronouns.as_deref()
    }

    async fn phone(&self) -> Option<&str> {
        self.0.profile.phone.as_ref().map(Phone::as_str)
    }

    /// A square of 512 pixels at most. It is uploaded with REST (`setPhoto`).
    async fn photo(&self, ctx: &Context<'_>) -> Result<Option<Attachment>> {
        Attachment::photo(ctx, self.0.profile.photo.as_ref()).await
    }

    /// Topics that they are interested in.
    async fn interests(&self, ctx: &Context<'_>) -> Result<Vec<Topic>> {
        Topic::load_all(ctx, &self.0.profile.interests).await
    }

    async fn experience(&self, ctx: &Context<'_>) -> Result<Experience> {
        Experience::of(ctx, &self.0.profile).await
    }

    /// To whom each part is shown.
    async fn visibility(&self) -> Shown {
        self.0.profile.shown
    }

    /// What `expectedVersion` is compared with.
    async fn version(&self) -> i64 {
        self.0.profile.edition
    }
}

impl From<domain::Member> for Profile {
    fn from(member: domain::Member) -> Self {
        Self(Arc::new(member))
    }
}

/// What a member has experience of.
#[derive(SimpleObject)]
pub struct Experience {
    pub topics: Vec<Topic>,
    /// Other things, in the member's words.
    pub tags: Vec<String>,
}

impl Experience {
    pub async fn of(ctx: &Context<'_>, told: &Told) -> Result<Self> {
        let tags = told.experience_tags.iter().map(|tag| tag.name.clone()).collect();
        Ok(Self { topics: Topic::load_all(ctx, &told.experience_topics).await?, tags })
    }
}

/// What changes. What is left out stays as it is; null takes away what need not be there.
#[derive(Clone, InputObject)]
pub struct UpdateProfileInput {
    /// The version of the profile that was read; a later one is not overwritten.
    pub expected_version: i64,
    /// At most 80 characters.
    pub name: Option<String>,
    /// At most 100 characters.
    pub job_title: MaybeUndefined<String>,
    /// An organisation in the directory that is not closed. Who writes from an organisation's own domain can
    /// choose no other.
    pub organisation_id: MaybeUndefined<ID>,
    /// At most 30 characters.
    pub pronouns: MaybeUndefined<String>,
    /// A number that begins with 0 or +, perhaps with an extension.
    pub phone: MaybeUndefined<String>,
    /// At most 10 topics.
    pub interest_ids: Option<Vec<ID>>,
    /// At most 10 topics.
    pub experience_topic_ids: Option<Vec<ID>>,
    /// At most 10 other things, each a word or two of 1 to 30 characters.
    pub experience_tags: Option<Vec<String>>,
    pub visibility: Option<ProfileVisibilityInput>,
    /// Says that the member has looked at the places that seem to identify a person (the error
    /// `PERSONAL_DATA` with the severity `WARN`), and that no patient is meant.
    #[graphql(default)]
    pub acknowledge_personal_data: bool,
    pub client_mutation_id: Option<String>,
}

/// To whom parts of the profile are shown; those left out stay as they are.
#[derive(Clone, Default, InputObject)]
pub struct ProfileVisibilityInput {
    pub email: Option<Audience>,
    pub phone: Option<Audience>,
    pub job_title: Option<Audience>,
    pub pronouns: Option<Audience>,
    pub photo: Option<Audience>,
    pub interests: Option<Audience>,
    pub experience: Option<Audience>,
}

impl From<UpdateProfileInput> for Changes {
    fn from(input: UpdateProfileInput) -> Self {
        let ids = |ids: Option<Vec<ID>>| ids.map(|ids| ids.into_iter().map(|id| id.0).collect());
        let shown = input.visibility.unwrap_or_default();
        Self {
            name: input.name,
            job_title: input.job_title,
            organisation: input.organisation_id.map_value(|id| id.0),
            pronouns: input.pronouns,
            phone: input.phone,
            interests: ids(input.interest_ids),
            experience_topics: ids(input.experience_topic_ids),
            experience_tags: input.experience_tags,
            shown: ShownChanges {
                email: shown.email,
                phone: shown.phone,
                job_title: shown.job_title,
                pronouns: shown.pronouns,
                photo: shown.photo,
                interests: shown.interests,
                experience: shown.experience,
            },
            acknowledged: input.acknowledge_personal_data.into(),
        }
    }
}

act!(CorrectMemberInput {
    member_id: ID,
    /// At most 80 characters.
    name: Option<String>,
    /// At most 100 characters; null takes it away.
    job_title: MaybeUndefined<String>,
    /// An organisation in the directory that is not closed, whatever their address's domain says; null takes it
    /// away.
    organisation_id: MaybeUndefined<ID>,
    /// At most 30 characters; null takes them away.
    pronouns: MaybeUndefined<String>,
    /// A number that begins with 0 or +, perhaps with an extension; null takes it away.
    phone: MaybeUndefined<String>
});

act!(RemoveMemberPhotoInput { member_id: ID });

impl From<&CorrectMemberInput> for Changes {
    fn from(input: &CorrectMemberInput) -> Self {
        Self {
            name: input.name.clone(),
            job_title: input.job_title.clone(),
            organisation: input.organisation_id.clone().map_value(|id| id.0),
            pronouns: input.pronouns.clone(),
            phone: input.phone.clone(),
            acknowledged: input.acknowledge_personal_data.into(),
            ..Self::default()
        }
    }
}

payload!(UpdateProfilePayload { profile: Profile });
payload!(CorrectMemberPayload { member: Member });
payload!(RemovePhotoPayload { profile: Profile });
payload!(RemoveMemberPhotoPayload { member: Member });

#[derive(Clone, InputObject)]
pub struct RemovePhotoInput {
    pub client_mutation_id: Option<String>,
}

#[derive(Default)]
pub struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Changes what the viewer tells of themself, and to whom. When it was changed since
    /// `expectedVersion`, nothing happens: the payload has the error `STALE` and the profile as it is now.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload> {
        let request = request("updateProfile", &input, input.client_mutation_id.as_ref());
        let (expected, name) = (input.expected_version, input.client_mutation_id.clone());
        let updated = action::update(ctx.app(), ctx.viewer(), expected, &input.into(), &request).await;
        let current = match &updated {
            Err(Error::Stale) => action::current(ctx.app(), ctx.viewer()).await.map_err(top)?,
            _ => None,
        };
        let mut payload = UpdateProfilePayload::of(updated, name, Profile::from)?;
        payload.profile = payload.profile.or(current.map(Profile::from));
        Ok(payload)
    }

    /// Puts right what the exchange says of a member, who is told that it was done and why.
    async fn correct_member(
        &self,
        ctx: &Context<'_>,
        input: CorrectMemberInput,
    ) -> Result<CorrectMemberPayload> {
        let request = request("correctMember", &input, input.client_mutation_id.as_ref());
        let administrator = Administrator::of(ctx.viewer()).map_err(top)?;
        let id = member_id(&input.member_id)?;
        let done = async {
            let changes = Changes::from(&input);
            action::correct(ctx.app(), &administrator, &id, &changes, &input.why()?, &request).await
        };
        CorrectMemberPayload::of(done.await, input.client_mutation_id.clone(), |member| Member(member.into()))
    }

    /// Takes the viewer's photo away. Where there is none, nothing happens.
    async fn remove_photo(&self, ctx: &Context<'_>, input: RemovePhotoInput) -> Result<RemovePhotoPayload> {
        let request = request("removePhoto", &input, input.client_mutation_id.as_ref());
        let done = photo::remove(ctx.app(), ctx.viewer(), &request).await;
        RemovePhotoPayload::of(done, input.client_mutation_id, Profile::from)
    }

    /// Takes a member's photo away, who is told why. Where there is none, nothing happens.
    async fn remove_member_photo(
        &self,
        ctx: &Context<'_>,
        input: RemoveMemberPhotoInput,
    ) -> Result<RemoveMemberPhotoPayload> {
        let request = request("removeMemberPhoto", &input, input.client_mutation_id.as_ref());
        let (moderator, id) = (moderator(ctx)?, member_id(&input.member_id)?);
        let done =
            async { photo::remove_of(ctx.app(), &moderator, &id, &input.why()?, &request).await }.await;
        RemoveMemberPhotoPayload::of(done, input.client_mutation_id, |member| Member(member.into()))
    }
}
