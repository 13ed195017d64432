//! A believable network, for trying things out and for measuring: organisations, members, posts and
//! comments of the last year, and what others made of them. Written for the purpose; nobody in it exists.
//!
//! The same seed gives the same community. A larger one than the written content repeats it.

mod case_studies;
mod content;
mod event;
mod joining;
mod life;
mod moderation;
mod profile;
mod reaction;
mod tag;

use chrono::{Datelike, TimeDelta, Weekday};

use self::{
    content::{Content, WrittenPost},
    life::Life,
};
use crate::{
    app::App,
    clock::{Clock, Timestamp},
    config,
    domain::{
        comment::{Comment, Place},
        digest::next_due,
        directory::DirectoryEntry,
        email::EmailAddress,
        entry::Entry,
        member::{DigestPreferences, Member, Role},
        organisation::{FormerName, OdsCode, Organisation},
        post::{Post, PostState},
        reaction::ReactionCounts,
        text::RichText,
        thread::Thread,
        topic::Topic,
    },
    error::{Error, Result},
    ids::{Id, Ids},
    query::{Document, Filter, Order, Page},
    store::Batch,
};

/// Posts written in one commit, with their threads and comments.
const CHUNK: usize = 100;
/// Comments of a thread that everybody had something to say in.
pub const LONG_THREAD: usize = 1_000;

/// How large a community to make.
#[derive(Clone, Copy, Debug, Default)]
pub enum Size {
    /// What was written: 60 organisations, 200 members, 300 posts, about 2,000 comments, and case
    /// studies that others have adopted; with reactions, accepted answers, follows and reports.
    #[default]
    Written,
    /// So many posts, for measuring. Every fiftieth has a thread of 25 comments, the others none, but
    /// for the oldest, which has [`LONG_THREAD`].
    Posts(usize),
}

/// Fills an empty community. One that has members already is left alone, and `false` returned.
///
/// # Errors
/// When the store fails, or the content can't be read.
pub async fn seed(app: &App, seed: u64, size: Size, progress: impl Fn(usize, usize)) -> Result<bool> {
    if !app.store.find(Filter::<Member>::all(), Order::by_id(), Page::first(1)).await?.is_empty() {
        return Ok(false);
    }
    let content = content::read().map_err(Error::Fault)?;
    let builder = Builder::new(app, seed, content, size)?;
    let (organisations, members) = builder.people()?;
    insert(app, &organisations).await?;
    let entries = organisations.iter().flat_map(|one| DirectoryEntry::of(one, app.clock.now()));
    insert(app, &entries.collect::<Vec<_>>()).await?;
    insert(app, &members).await?;
    let tags = tag::used(builder.posts.iter().map(|(written, ..)| written), builder.total);
    app.store.commit(tags.iter().fold(Batch::new(), super::store::Batch::insert)).await?;
    let moderation = moderation::read().map_err(Error::Fault)?;
    let mut life = match size {
        Size::Written => Some(Life::begin(&builder, &members, &moderation)?),
        Size::Posts(_) => None,
    };
    let total = builder.total;
    let mut index = 0;
    while index < total {
        let until = (index + CHUNK).min(total);
        let mut batch = Batch::new();
        for index in index..until {
            let mut discussion = builder.post(index, &members);
            if let Some(life) = &mut life {
                life.on_post(&mut discussion)?;
            }
            batch = discussion.written(batch);
        }
        app.store.commit(batch).await?;
        index = until;
        progress(index, total);
    }
    if let Some(mut life) = life {
        let written = case_studies::read().map_err(Error::Fault)?;
        for (index, written) in written.iter().enumerate() {
            let batch = builder.case_study(index, written, &organisations, &mut life)?;
            app.store.commit(batch).await?;
        }
        let moderator = life.moderator;
        life.save(app, &organisations).await?;
        builder.joining(app, moderator).await?;
    }
    Ok(true)
}

/// Inserts documents of one type.
async fn insert<'a, D: Document>(app: &App, documents: impl IntoIterator<Item = &'a D>) -> Result<()> {
    let documents: Vec<&D> = documents.into_iter().collect();
    for chunk in documents.chunks(CHUNK) {
        let batch = chunk.iter().fold(Batch::new(), |batch, document| batch.insert(*document));
        app.store.commit(batch).await?;
    }
    Ok(())
}

/// A post and what was said about it.
struct Discussion {
    post: Post,
    thread: Thread,
    comments: Vec<Comment>,
}

impl Discussion {
    fn written(&self, batch: Batch) -> Batch {
        let batch = batch.insert(&self.post).insert(&self.thread).insert(&Entry::of_post(&self.post));
        self.comments.iter().fold(batch, Batch::insert)
    }
}

/// A written post, its text, and its comments with the levels that they stand on.
type Discussed = (WrittenPost, RichText, Vec<(usize, RichText)>);

struct Builder {
    ids: Ids,
    clock: Clock,
    /// Midnight of the day on which the community is made: its last year ends here.
    now: Timestamp,
    preferences: DigestPreferences,
    /// The version that members accepted.
    rules: String,
    sign_in: config::SignIn,
    size: Size,
    total: usize,
    organisations: Vec<content::WrittenOrganisation>,
    people: content::People,
    posts: Vec<Discussed>,
}

impl Builder {
    fn new(app: &App, seed: u64, content: Content, size: Size) -> Result<Self> {
        let now = app.clock.now();
        let midnight = Timestamp::from_millis(now.millis() - now.millis().rem_euclid(86_400_000));
        let clock = Clock::manual(midnight);
        let mut posts = Vec::with_capacity(content.posts.len());
        for post in content.posts {
            let body = rich(&post.body)?;
            let comments = post.comments.iter().map(|text| {
                let depth = text.chars().take_while(|c| *c == '>').count();
                rich(text.trim_start_matches('>')).map(|text| (depth, text))
            });
            let comments = comments.collect::<Result<Vec<_>>>()?;
            posts.push((post, body, comments));
        }
        let total = match size {
            Size::Written => posts.len(),
            Size::Posts(count) => count,
        };
        Ok(Self {
            ids: Ids::seeded(clock.clone(), seed),
            clock,
            now: midnight,
            preferences: DigestPreferences::from(&app.config.digest),
            rules: app.config.rules.version.clone(),
            sign_in: app.config.sign_in.clone(),
            size,
            total,
            organisations: content.organisations,
            people: content.people,
            posts,
        })
    }

    fn people(&self) -> Result<(Vec<Organisation>, Vec<Member>)> {
        self.clock.set(self.now.minus(TimeDelta::days(400)));
        let organisations = self.organisations.iter().map(|written| self.organisation(written));
        let organisations = organisations.collect::<Result<Vec<_>>>()?;
        let members = self.people.names.iter().enumerate().map(|(index, name)| {
            let organisation = &organisations[index % organisations.len()];
            let role = &self.people.roles[self.ids.below(self.people.roles.len() as u64) as usize];
            self.member(name, role, organisation)
        });
        let members = members.collect::<Result<Vec<_>>>()?;
        Ok((organisations, members))
    }

    fn organisation(&self, written: &content::WrittenOrganisation) -> Result<Organisation> {
        let code = OdsCode::parse(&written.code)
            .ok_or_else(|| Error::Fault(format!("{} is no ODS code", written.code)))?;
        let new = Organisation::new(self.ids.fresh(), code, &written.name, self.clock.now());
        let former = written.former.iter();
        Ok(Organisation {
            kind: Some(written.kind.clone()),
            region: Some(written.region.clone()),
            icb: Some(written.icb.clone()),
            aliases: written.aliases.clone(),
            former_names: former
                .map(|one| FormerName { name: one.name.clone(), until: Some(one.until) })
                .collect(),
            domains: vec![written.domain.clone()],
            ..new
        })
    }

    fn member(&self, name: &str, job_title: &str, organisation: &Organisation) -> Result<Member> {
        let local: String = name.to_lowercase().chars().filter_map(address_letter).collect();
        let address = format!("{local}@{}", organisation.domains[0]);
        let email =
            EmailAddress::parse(&address).map_err(|reason| Error::Fault(format!("{address}: {reason}")))?;
        let mut member = Member::new(self.ids.fresh(), email, self.preferences.clone(), self.clock.now());
        member.rename(name.to_owned());
        member.job_title = Some(job_title.to_owned());
        member.works_at(Some(organisation));
        member.role = match self.size {
            Size::Written => self.people.role_of(name),
            Size::Posts(_) => Role::Member,
        };
        member.standing.accept(&self.rules, self.clock.now());
        member.standing.verify(self.now, &self.sign_in);
        // As if last week's digest had told them everything before it.
        member.digest_covered_until = self.now.minus(TimeDelta::days(7));
        member.digest_due_at = next_due(&self.preferences, self.now);
        Ok(member)
    }

    /// The post at `index`, with its thread and its comments.
    fn post(&self, index: usize, members: &[Member]) -> Discussion {
        let (written, body, comments) = &self.posts[index % self.posts.len()];
        let author = &members[self.below(members.len())];
        let published = self.moment(index);
        self.clock.set(published);
        let id: Id<Post> = self.ids.fresh();
        let mut thread = Thread::opened(&id, published);
        let mut post = Post {
            id,
            version: 1,
            edition: 1,
            kind: written.kind,
            state: PostState::Published,
            title: written.title.clone(),
            body: body.clone(),
            author: author.id.clone(),
            organisation: author.organisation.clone(),
            topics: written.topics.iter().map(|slug| Id::<Topic>::of(slug)).collect(),
            tags: written.tag_names().into_iter().map(|tag| tag.id).collect(),
            event: written.event.as_ref().map(|event| event.event(published, index)),
            mentions: Vec::new(),
            attachments: Vec::new(),
            thread: thread.id.clone(),
            accepted_answer: None,
            answered: false,
            reactions: ReactionCounts::default(),
            revisions: 0,
            created_at: published,
            published_at: Some(published),
            updated_at: published,
            removed: None,
        };
        let comments = match self.size {
            Size::Written => self.discussion(&post, comments.iter(), members),
            Size::Posts(_) if index.is_multiple_of(50) => {
                let length = if index == 0 { LONG_THREAD } else { 25 };
                self.discussion(&post, self.posts.iter().flat_map(|(_, _, all)| all).take(length), members)
            }
            Size::Posts(_) => Vec::new(),
        };
        post.answered = comments.iter().any(|comment| comment.author != post.author);
        thread.comment_count = comments.len() as i64;
        thread.added = thread.comment_count;
        thread.last_activity_at = comments.last().map_or(published, |comment| comment.created_at);
        Discussion { post, thread, comments }
    }

    /// The comments under a post, minutes to days apart, each by somebody who could have said it.
    fn discussion<'a>(
        &self,
        post: &Post,
        written: impl Iterator<Item = &'a (usize, RichText)>,
        members: &[Member],
    ) -> Vec<Comment> {
        let mut comments: Vec<Comment> = Vec::new();
        let mut at = post.published_at.unwrap_or(self.now);
        for (depth, body) in written {
            let parent = comments.iter().rev().find(|comment| comment.depth < *depth as i64).cloned();
            let author = self.who_answers(post, parent.as_ref(), &comments, members);
            at = at
                .plus(TimeDelta::minutes(7 + self.below(600) as i64))
                .min(self.now.minus(TimeDelta::minutes(1)));
            self.clock.set(at);
            let id = self.ids.fresh();
            let Place { parent: placed, depth, path } = Place::of(&id, parent.as_ref());
            comments.push(Comment {
                id,
                version: 1,
                edition: 1,
                thread: post.thread.clone(),
                number: comments.len() as i64 + 1,
                parent: placed,
                depth,
                path,
                author: author.id.clone(),
                organisation: author.organisation.clone(),
                answers: Some(parent.map_or_else(|| post.author.clone(), |parent| parent.author)),
                body: Some(body.clone()),
                quote: None,
                mentions: Vec::new(),
                attachments: Vec::new(),
                accepted: false,
                reactions: ReactionCounts::default(),
                score: 0,
                revisions: 0,
                created_at: at,
                updated_at: at,
                removed: None,
            });
        }
        comments
    }

    /// A question is answered by the one who was asked; anything else by somebody new.
    fn who_answers<'m>(
        &self,
        post: &Post,
        parent: Option<&Comment>,
        comments: &[Comment],
        members: &'m [Member],
    ) -> &'m Member {
        let asked = parent.filter(|parent| asks(parent)).map(|comment| match &comment.parent {
            None => &post.author,
            Some(above) => comments
                .iter()
                .find(|comment| comment.id == *above)
                .map_or(&post.author, |above| &above.author),
        });
        let by_id = |id: &Id<Member>| members.iter().find(|member| member.id == *id);
        let spoken_to = parent.map_or(&post.author, |parent| &parent.author);
        match asked.filter(|asked| *asked != spoken_to).and_then(by_id) {
            Some(member) => member,
            None => {
                let start = self.below(members.len());
                let others = members.iter().cycle().skip(start);
                others.take(members.len()).find(|member| member.id != *spoken_to).unwrap_or(&members[start])
            }
        }
    }

    /// When the post at `index` was published: spread over the year up to now, in working hours.
    fn moment(&self, index: usize) -> Timestamp {
        let year = TimeDelta::days(364).num_milliseconds();
        let offset = year / self.total.max(1) as i64 * index as i64;
        let rough = self.now.minus(TimeDelta::days(365)).plus(TimeDelta::milliseconds(offset));
        if matches!(self.size, Size::Posts(_)) {
            return rough;
        }
        let midnight = Timestamp::from_millis(rough.millis() - rough.millis().rem_euclid(86_400_000));
        let weekend = match midnight.utc().weekday() {
            Weekday::Sat => 2,
            Weekday::Sun => 1,
            _ => 0,
        };
        midnight.minus(TimeDelta::days(weekend)).plus(TimeDelta::minutes(8 * 60 + self.below(540) as i64))
    }

    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.ids.below(bound as u64)).unwrap_or_default()
    }
}

/// Whether somebody is to answer it.
fn asks(comment: &Comment) -> bool {
    comment.body.as_ref().is_some_and(|body| body.markdown.contains('?'))
}

fn rich(markdown: &str) -> Result<RichText> {
    RichText::parse("body", markdown, crate::domain::text::BODY_MAX)
        .map_err(|problem| Error::Fault(problem.message))
}

/// The letter of an address for a letter of a name: plain ones, and a dot between the names.
fn address_letter(c: char) -> Option<char> {
    match c {
        'a'..='z' | '-' => Some(c),
        ' ' => Some('.'),
        'é' | 'è' | 'ë' => Some('e'),
        'á' | 'à' | 'ä' => Some('a'),
        'ó' | 'ö' | 'ò' => Some('o'),
        'í' | 'ï' => Some('i'),
        'ú' | 'ü' => Some('u'),
        'ñ' => Some('n'),
        'ç' => Some('c'),
        _ => None,
    }
}
