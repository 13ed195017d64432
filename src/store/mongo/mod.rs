use super::{Batch, Collection, Document, Result};
use crate::{
    ids::Id,
    query::{Direction, Expr, FieldRef, Value},
};
use std::collections::BTreeMap;
use tokio::sync::broadcast;

#[derive(Clone)]
pub(super) struct Mongo;
impl Mongo {
    pub async fn open(_uri: &str, _collections: &[&'static Collection]) -> Result<Self> {
        todo!()
    }
    pub async fn get<D: Document>(&self, _ids: &[Id<D>]) -> Result<Vec<D>> {
        todo!()
    }
    pub async fn find<D: Document>(
        &self,
        _filter: &Expr,
        _order: &[(FieldRef, Direction)],
        _page: &crate::query::Page,
    ) -> Result<Vec<D>> {
        todo!()
    }
    pub async fn count<D: Document>(&self, _filter: &Expr, _at_most: u64) -> Result<u64> {
        todo!()
    }
    pub async fn tally<D: Document>(&self, _filter: &Expr, _field: FieldRef) -> Result<BTreeMap<Value, u64>> {
        todo!()
    }
    pub async fn explain(
        &self,
        _c: &Collection,
        _f: &Expr,
        _o: &[(FieldRef, Direction)],
        _p: &crate::query::Page,
    ) -> Result<Vec<String>> {
        todo!()
    }
    pub async fn commit(&self, _batch: Batch) -> Result<()> {
        todo!()
    }
    pub fn watch(&self) -> broadcast::Receiver<&'static str> {
        todo!()
    }
    pub async fn ping(&self) -> Result<()> {
        todo!()
    }
    pub async fn close(&self) {
        todo!()
    }
}
