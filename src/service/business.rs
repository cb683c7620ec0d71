//! The settings of the business, which admins change on a page.

use std::{
    sync::{Arc, PoisonError, Weak},
    time::Duration,
};

use super::{Service, hours, problem, sessions::require_admin};
use crate::{
    domain::{Actor, Business, BusinessForm, Problem},
    locales::{self, Locale, t},
    settings::Retention,
    storage::StoreError,
};

/// How soon other nodes use a change.
const EVERY: Duration = Duration::from_secs(5);

/// Reads the changes of other nodes. Ends with the service, or with its store.
pub(super) async fn follow(service: Weak<Service>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(service) = service.upgrade() else { return };
        match service.store.find_business().await {
            Ok(business) => service.use_business(business),
            Err(error) if error.is_closed() => return,
            Err(error) => tracing::warn!(%error, "could not read the settings of the business"),
        }
    }
}

impl Service {
    #[must_use]
    pub fn business(&self) -> Arc<Business> {
        self.business.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn use_business(&self, business: Business) {
        if business.hours != self.business().hours {
            self.median.is_stale();
        }
        *self.business.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(business);
    }

    /// The name of the business, on pages and for guests.
    #[must_use]
    pub fn business_name(&self) -> String {
        self.business().name.as_ref().unwrap_or(&self.default_name).to_string()
    }

    /// The default language, for browsers that accept no available one.
    #[must_use]
    pub fn locale(&self) -> Locale {
        self.business().language.unwrap_or(self.settings.language)
    }

    pub(super) fn retention(&self) -> Retention {
        let Retention { days, how } = self.settings.retention;
        Retention { days: self.business().retention_days.unwrap_or(days), how }
    }

    /// # Errors
    /// `forbidden` unless the actor is an admin.
    pub fn business_form(&self, actor: &Actor) -> Result<BusinessForm, Problem> {
        require_admin(actor)?;
        Ok(BusinessForm::from(&*self.business()))
    }

    /// Sets everything, also what the form leaves empty.
    ///
    /// # Errors
    /// `invalid` for the fields; `forbidden` unless the actor is an admin.
    pub async fn set_business(&self, actor: &Actor, form: &BusinessForm) -> Result<(), Problem> {
        require_admin(actor)?;
        let business = Business::parse(form)?;
        let zone = &business.hours.zone;
        if !zone.is_empty() && hours::zone(zone).is_none() {
            return Err(Problem::invalid("zone", t!(locales::current(), problem::ZONE)));
        }
        self.store.put_business(actor, business.clone()).await.map_err(problem)?;
        self.use_business(business);
        Ok(())
    }
}

pub(super) type Current = std::sync::RwLock<Arc<Business>>;

/// # Errors
/// If the database does not answer.
pub(super) async fn load(store: &dyn crate::storage::Store) -> Result<Current, StoreError> {
    Ok(Current::new(Arc::new(store.find_business().await?)))
}
