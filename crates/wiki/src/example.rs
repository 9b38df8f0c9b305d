//! The example space: four pages that teach, the first one a checklist.

use crate::actor::Actor;
use crate::error::Result;
use crate::spaces::Space;
use crate::wiki::Wiki;

impl Wiki {
    /// Makes the example space. `Conflict` when its key is in use.
    pub async fn create_example_space(&self, _actor: &Actor) -> Result<Space> {
        todo!()
    }
}
