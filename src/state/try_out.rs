//! All that a run does with the state, done once.

use bytes::Bytes;

use super::error::StateError;
use super::object::Condition;
use super::store::State;

impl State {
    /// Takes a lease, writes, reads, and deletes, on objects that nothing else uses.
    ///
    /// # Errors
    /// What failed first, and in which of the steps.
    pub async fn try_out(&self) -> Result<(), (&'static str, StateError)> {
        let name = format!("checks/{:016x}", rand::random::<u64>());
        let leased = format!("{name}.lease");
        let lease = self.lease_of(&leased).await.map_err(|error| ("lease", error))?;
        let written = Bytes::from_static(b"{}\n");
        let result = async {
            let write = self.objects.put(&name, written, Condition::Any);
            write.await.map_err(|error| ("write", error))?;
            self.objects.get(&name).await.map_err(|error| ("read", error))?;
            self.objects.delete(&name).await.map_err(|error| ("delete", error))
        };
        let result = result.await;
        lease.release().await.map_err(|error| ("release of the lease", error))?;
        result?;
        self.objects.delete(&leased).await.map_err(|error| ("delete", error))
    }
}
