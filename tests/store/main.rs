//! One suite for every engine: what a store promises, tried on SQLite and on a real MongoDB.
//!
//! MongoDB's half needs `HOPE_TEST_MONGODB` (and `HOPE_TEST_MONGOD` for the tests that kill a server
//! of their own), as `tests/with-mongod` sets them. Without, it is skipped, loudly; where `CI=true`
//! it fails.

mod concurrency;
mod crash;
mod engines;
mod meaning;
mod model;
mod place;
mod plans;
mod process;
mod samples;
mod verbs;

use place::Place;

/// The same tests on each engine: `sqlite::…` and `mongo::…`.
macro_rules! on_every_engine {
    ($($module:ident::$test:ident,)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                Place::sqlite().run($module::$test).await;
            })*
        }

        mod mongo {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                if let Some(place) = Place::mongo() {
                    place.run($module::$test).await;
                }
            })*
        }
    };
}

on_every_engine! {
    verbs::a_document_is_read_as_it_was_written,
    verbs::ids_are_answered_in_the_order_asked,
    verbs::a_page_has_a_limit_and_a_beginning,
    verbs::counting_stops,
    verbs::a_tally_has_typed_values,
    verbs::a_patch_changes_what_it_names_and_the_version,
    verbs::a_missing_counter_counts_from_zero,
    verbs::guards_hold_or_the_batch_is_stale,
    verbs::taken_values_conflict_and_nulls_do_not,
    verbs::a_batch_happens_in_order_or_not_at_all,
    verbs::a_question_without_an_index_is_refused,
    verbs::a_place_inside_null_is_an_error,
    verbs::what_cannot_be_stored_is_refused,
    verbs::an_index_that_changed_is_made_anew,
    verbs::a_closed_store_says_so,
    meaning::every_filter_order_and_page_means_what_it_says,
    model::batches_do_what_they_say,
    concurrency::no_increment_is_lost,
    concurrency::no_change_is_lost,
    concurrency::a_value_is_taken_once,
    concurrency::batches_that_require_each_other_s_documents_never_both_happen,
    concurrency::watch_tells_of_another_handle_s_changes,
    crash::a_killed_service_loses_nothing,
    plans::declared_questions_are_answered_by_their_index,
}
