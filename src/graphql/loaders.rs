//! Loading the documents that a page refers to in one store call a kind, however many refer to them.
//!
//! The resolvers of one request run interleaved in one task. Each asks for a document and steps
//! aside until nobody asks for more; the first to go on fetches what all of them asked for. No timer
//! is involved, so a batch costs no waiting, and how many calls a query makes depends on the query
//! alone.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, task::yield_now};

use crate::{
    actions::access::Viewer,
    app::App,
    domain::{
        adoption::Adoption, attachment::Attachment, audit::AuditEntry, bookmark::Bookmark,
        case_study::CaseStudy, comment::Comment, directory::DirectoryEntry, entry::Entry, follow::Follow,
        invitation::Invitation, member::Member, notification::Notification, organisation::Organisation,
        permission::Scoped, pin::Board, post::Post, reaction::Reactions, read_mark::ReadMark, report::Report,
        sight::Seen, tag::Tag, thread::Thread, topic::Topic,
    },
    error::{Result, StoreError},
    ids::Id,
    query::Document,
};

/// The loaders of one request. What was loaded once stays as it was for the whole request.
pub struct Loaders {
    app: App,
    viewer: Viewer,
    pub members: Loader<Member>,
    pub organisations: Loader<Organisation>,
    pub directory: Loader<DirectoryEntry>,
    pub topics: Loader<Topic>,
    pub tags: Loader<Tag>,
    pub threads: Loader<Thread>,
    pub posts: Loader<Post>,
    pub case_studies: Loader<CaseStudy>,
    pub entries: Loader<Entry>,
    pub adoptions: Loader<Adoption>,
    pub attachments: Loader<Attachment>,
    pub comments: Loader<Comment>,
    pub read_marks: Loader<ReadMark>,
    pub reactions: Loader<Reactions>,
    pub follows: Loader<Follow>,
    pub bookmarks: Loader<Bookmark>,
    pub boards: Loader<Board>,
    pub notifications: Loader<Notification>,
    pub reports: Loader<Report>,
    pub audit_entries: Loader<AuditEntry>,
    pub invitations: Loader<Invitation>,
}

impl Loaders {
    /// With the viewer known already, who is on most pages.
    #[must_use]
    pub fn new(app: App, viewer: &Viewer) -> Self {
        let loader = Self {
            app,
            viewer: viewer.clone(),
            members: Loader::default(),
            organisations: Loader::default(),
            directory: Loader::default(),
            topics: Loader::default(),
            tags: Loader::default(),
            threads: Loader::default(),
            posts: Loader::default(),
            case_studies: Loader::default(),
            entries: Loader::default(),
            adoptions: Loader::default(),
            attachments: Loader::default(),
            comments: Loader::default(),
            read_marks: Loader::default(),
            reactions: Loader::default(),
            follows: Loader::default(),
            bookmarks: Loader::default(),
            boards: Loader::default(),
            notifications: Loader::default(),
            reports: Loader::default(),
            audit_entries: Loader::default(),
            invitations: Loader::default(),
        };
        loader.members.know(Arc::new((**viewer).clone()));
        loader
    }

    /// # Errors
    /// When the store fails.
    pub async fn member(&self, id: &Id<Member>) -> Result<Option<Arc<Member>>> {
        self.members.load(&self.app, &self.viewer, id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn organisation(&self, id: &Id<Organisation>) -> Result<Option<Arc<Organisation>>> {
        self.organisations.load(&self.app, &self.viewer, id).await
    }

    /// What the directory has of an organisation under its name of today.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn directory_entry(&self, id: &Id<DirectoryEntry>) -> Result<Option<Arc<DirectoryEntry>>> {
        self.directory.load(&self.app, &self.viewer, id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn topic(&self, id: &Id<Topic>) -> Result<Option<Arc<Topic>>> {
        self.topics.load(&self.app, &self.viewer, id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn tag(&self, id: &Id<Tag>) -> Result<Option<Arc<Tag>>> {
        self.tags.load(&self.app, &self.viewer, id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn thread(&self, id: &Id<Thread>) -> Result<Option<Arc<Thread>>> {
        self.threads.load(&self.app, &self.viewer, id).await
    }

    /// The comment as the viewer sees it, when they see its thread.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn comment(&self, id: &Id<Comment>) -> Result<Option<Arc<Comment>>> {
        self.seen(self.comments.load(&self.app, &self.viewer, id).await)
    }

    /// The post as the viewer sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn post(&self, id: &Id<Post>) -> Result<Option<Arc<Post>>> {
        self.seen(self.posts.load(&self.app, &self.viewer, id).await)
    }

    /// The case study as the viewer sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn case_study(&self, id: &Id<CaseStudy>) -> Result<Option<Arc<CaseStudy>>> {
        self.seen(self.case_studies.load(&self.app, &self.viewer, id).await)
    }

    fn seen<D: Seen>(&self, found: Result<Option<Arc<D>>>) -> Result<Option<Arc<D>>> {
        Ok(found?.and_then(|found| found.shared_as_seen_by(&self.viewer)))
    }

    /// # Errors
    /// When the store fails.
    pub async fn report(&self, id: &Id<Report>) -> Result<Option<Arc<Report>>> {
        self.reports.load(&self.app, &self.viewer, id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn audit_entry(&self, id: &Id<AuditEntry>) -> Result<Option<Arc<AuditEntry>>> {
        self.audit_entries.load(&self.app, &self.viewer, id).await
    }

    /// The invitation, whoever may see it: the caller asks.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn invitation(&self, id: &Id<Invitation>) -> Result<Option<Arc<Invitation>>> {
        self.invitations.load(&self.app, &self.viewer, id).await
    }

    /// The notification, whosever it is: the caller asks.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn notification(&self, id: &Id<Notification>) -> Result<Option<Arc<Notification>>> {
        self.notifications.load(&self.app, &self.viewer, id).await
    }

    /// What is pinned.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn board(&self) -> Result<Option<Arc<Board>>> {
        self.boards.load(&self.app, &self.viewer, &Board::id_of_all()).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn entry(&self, id: &Id<Entry>) -> Result<Option<Arc<Entry>>> {
        self.entries.load(&self.app, &self.viewer, id).await
    }

    /// Entries that a list has loaded.
    pub fn know_entries(&self, entries: &[Arc<Entry>]) {
        entries.iter().for_each(|entry| self.entries.know(Arc::clone(entry)));
    }

    /// # Errors
    /// When the store fails.
    pub async fn adoption(&self, id: &Id<Adoption>) -> Result<Option<Arc<Adoption>>> {
        self.adoptions.load(&self.app, &self.viewer, id).await
    }

    /// The attachment, whoever may see it: the caller has shown what it belongs to, or asks.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attachment(&self, id: &Id<Attachment>) -> Result<Option<Arc<Attachment>>> {
        self.attachments.load(&self.app, &self.viewer, id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn read_mark(&self, id: &Id<ReadMark>) -> Result<Option<Arc<ReadMark>>> {
        self.read_marks.load(&self.app, &self.viewer, id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn reactions(&self, id: &Id<Reactions>) -> Result<Option<Arc<Reactions>>> {
        self.reactions.load(&self.app, &self.viewer, id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn follow(&self, id: &Id<Follow>) -> Result<Option<Arc<Follow>>> {
        self.follows.load(&self.app, &self.viewer, id).await
    }

    /// # Errors
    /// When the store fails.
    pub async fn bookmark(&self, id: &Id<Bookmark>) -> Result<Option<Arc<Bookmark>>> {
        self.bookmarks.load(&self.app, &self.viewer, id).await
    }
}

/// Collects the ids of one kind that a request asks for, and fetches them together.
pub struct Loader<D> {
    state: Mutex<State<D>>,
    changed: Notify,
}

struct State<D> {
    /// Asked for, and not being fetched yet.
    wanted: HashSet<Id<D>>,
    /// Whether somebody waits until all have asked, to fetch what is wanted then.
    collecting: bool,
    /// Being fetched.
    coming: HashSet<Id<D>>,
    /// How often anything was asked for.
    asked: u64,
    known: HashMap<Id<D>, Option<Arc<D>>>,
    failed: Option<StoreError>,
}

impl<D> Default for Loader<D> {
    fn default() -> Self {
        let state = State {
            wanted: HashSet::new(),
            collecting: false,
            coming: HashSet::new(),
            asked: 0,
            known: HashMap::new(),
            failed: None,
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }
}

impl<D: Document + Scoped> Loader<D> {
    fn know(&self, document: Arc<D>) {
        self.state().known.insert(document.id().clone(), Some(document));
    }

    /// Small, as the resolver of every field of a type has room for its largest one.
    async fn load(&self, app: &App, viewer: &Viewer, id: &Id<D>) -> Result<Option<Arc<D>>> {
        viewer.may_read::<D>()?;
        match self.ask(id) {
            Some(known) => Ok(known),
            None => Box::pin(self.wait(app, id)).await,
        }
    }

    /// What is known of a document; otherwise it is asked for.
    fn ask(&self, id: &Id<D>) -> Option<Option<Arc<D>>> {
        let mut state = self.state();
        let known = state.known.get(id).cloned();
        if known.is_none() {
            state.asked += 1;
            if !state.coming.contains(id) {
                state.wanted.insert(id.clone());
            }
        }
        known
    }

    /// Waits until somebody has fetched the document; when nobody is about to, does it.
    async fn wait(&self, app: &App, id: &Id<D>) -> Result<Option<Arc<D>>> {
        let changed = self.changed.notified();
        tokio::pin!(changed);
        loop {
            // Listening starts before looking, so that nothing can happen in between unnoticed.
            changed.as_mut().enable();
            let collects = {
                let mut state = self.state();
                if let Some(document) = state.known.get(id) {
                    return Ok(document.clone());
                }
                if let Some(error) = &state.failed {
                    return Err(error.clone().into());
                }
                let collects = !state.collecting && state.wanted.contains(id);
                state.collecting |= collects;
                collects
            };
            if collects {
                Round { loader: self, ids: Vec::new() }.run(app).await;
            } else {
                changed.as_mut().await;
            }
            changed.set(self.changed.notified());
        }
    }

    async fn everybody_has_asked(&self) {
        loop {
            let before = self.state().asked;
            yield_now().await;
            if self.state().asked == before {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One fetch for all who ask. A resolver that is given up, as another field of its object failed,
/// takes its round with it: then somebody else who waits starts a new one.
struct Round<'a, D: Document + Scoped> {
    loader: &'a Loader<D>,
    /// What is fetched; none while it is still collected.
    ids: Vec<Id<D>>,
}

impl<D: Document + Scoped> Round<'_, D> {
    async fn run(mut self, app: &App) {
        self.loader.everybody_has_asked().await;
        {
            let mut state = self.loader.state();
            self.ids = state.wanted.drain().collect();
            state.coming.extend(self.ids.iter().cloned());
            state.collecting = false;
        }
        let outcome = app.store.get(&self.ids).await;
        let mut state = self.loader.state();
        match outcome {
            Ok(documents) => {
                let documents = documents.into_iter().map(|found| found.map(Arc::new));
                state.known.extend(self.ids.iter().cloned().zip(documents));
            }
            Err(error) => state.failed = Some(error),
        }
    }
}

impl<D: Document + Scoped> Drop for Round<'_, D> {
    fn drop(&mut self) {
        {
            let mut state = self.loader.state();
            if self.ids.is_empty() {
                state.collecting = false;
            }
            for id in self.ids.drain(..) {
                state.coming.remove(&id);
                if !state.known.contains_key(&id) {
                    state.wanted.insert(id);
                }
            }
        }
        self.loader.changed.notify_waiters();
    }
}
