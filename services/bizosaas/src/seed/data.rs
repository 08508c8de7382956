//! Made-up people and companies. The same ones every time, from a seeded generator.

use bz_kernel::Rng;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// Leads of the demo tenant.
pub(super) const LEADS: usize = 240;
/// To-dos of the demo tenant.
pub(super) const TODOS: usize = 40;
/// Days of events of the demo tenant.
pub(super) const DAYS: i64 = 90;

const FIRST_NAMES: [&str; 24] = [
    "Ada",
    "Alan",
    "Barbara",
    "Claude",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "Ivan",
    "Joan",
    "Katherine",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Olga",
    "Per",
    "Radia",
    "Sophie",
    "Tim",
    "Ursula",
    "Vint",
    "Whitfield",
    "Yordanka",
];
const LAST_NAMES: [&str; 20] = [
    "Andersen", "Bauer", "Conti", "Dubois", "Eriksson", "Fischer", "García", "Horvat", "Ivanova",
    "Jansen", "Kowalska", "Larsen", "Moreau", "Novák", "O'Brien", "Petrov", "Rossi", "Schmidt",
    "Tanaka", "Weiss",
];
const COMPANIES: [(&str, &str); 16] = [
    ("Northwind Bakery", "food"),
    ("Blue Harbour Logistics", "transport"),
    ("Lumen Dental", "health"),
    ("Alder & Finch Law", "legal"),
    ("Pixel Orchard", "design"),
    ("Sunfield Solar", "energy"),
    ("Cobalt Fitness", "sport"),
    ("Maple Street Books", "retail"),
    ("Granite Works", "construction"),
    ("Tidewater Travel", "travel"),
    ("Bright Path Tutors", "education"),
    ("Copper Kettle Hotels", "hospitality"),
    ("Quiet Fields Farm", "agriculture"),
    ("Signal Nine Studio", "media"),
    ("Harvest Moon Foods", "food"),
    ("Redwood Accounting", "finance"),
];
const TITLES: [&str; 10] = [
    "Owner",
    "Chief Executive",
    "Head of Marketing",
    "Sales Manager",
    "Director of Operations",
    "Office Manager",
    "Founder",
    "Buyer",
    "Student",
    "Assistant",
];
const SOURCES: [&str; 8] = [
    "referral",
    "website",
    "partner",
    "webinar",
    "trade event",
    "cold call",
    "newsletter",
    "search ads",
];
const CITIES: [(&str, &str); 8] = [
    ("Berlin", "Germany"),
    ("Sofia", "Bulgaria"),
    ("Lyon", "France"),
    ("Oslo", "Norway"),
    ("Porto", "Portugal"),
    ("Utrecht", "Netherlands"),
    ("Kraków", "Poland"),
    ("Bologna", "Italy"),
];
const STATUSES: [&str; 10] = [
    "new",
    "new",
    "new",
    "new",
    "working",
    "working",
    "nurturing",
    "qualified",
    "unqualified",
    "converted",
];
const ERRANDS: [&str; 10] = [
    "Call {} back",
    "Send {} the offer",
    "Prepare the demo for {}",
    "Ask {} for a reference",
    "Invoice {}",
    "Plan the workshop with {}",
    "Write the case study about {}",
    "Renew the contract of {}",
    "Thank {} for the visit",
    "Check the references of {}",
];
const EVENTS: [(&str, u32); 5] = [
    ("page_view", 60),
    ("newsletter.opened", 18),
    ("form.submitted", 10),
    ("demo.booked", 7),
    ("offer.downloaded", 5),
];

/// A generator of demo data.
pub(super) struct Demo(Rng);

impl Demo {
    pub(super) fn new() -> Self {
        Self(Rng::seeded(2026))
    }

    /// The body of `POST /api/leads`.
    pub(super) fn lead(&self) -> Value {
        let (first, last) = (self.pick(&FIRST_NAMES), self.pick(&LAST_NAMES));
        let (company, industry) = self.pick(&COMPANIES);
        let (city, country) = self.pick(&CITIES);
        let ascii = |text: &str| {
            text.to_lowercase()
                .replace(|c: char| !c.is_ascii_alphanumeric(), "")
        };
        let domain = if self.chance(0.75) {
            format!("{}.example", ascii(company))
        } else {
            "gmail.com".to_owned()
        };
        let mut lead = json!({
            "first_name": first,
            "last_name": last,
            "email": format!("{}.{}@{domain}", ascii(first), ascii(last)),
            "company_name": company,
            "industry": industry,
            "title": self.pick(&TITLES),
            "source": self.pick(&SOURCES),
            "status": self.pick(&STATUSES),
            "city": city,
            "country": country,
        });
        if self.chance(0.6) {
            lead["phone"] = json!(format!("+49 30 {:07}", self.below(10_000_000)));
        }
        if self.chance(0.7) {
            lead["employees"] = json!(1 + self.below(400));
        }
        lead
    }

    /// The body of `POST /api/todos`, due around `now`.
    pub(super) fn todo(&self, now: DateTime<Utc>) -> Value {
        let title = self.pick(&ERRANDS).replace("{}", self.pick(&FIRST_NAMES));
        let day = (now + TimeDelta::days(i64::from(self.below(28)) - 7)).date_naive();
        json!({
            "title": title,
            "due_date": day,
            "priority": self.pick(&["low", "normal", "normal", "normal", "high", "urgent"]),
            "completed": self.chance(0.3),
        })
    }

    /// The events of [`DAYS`] days up to `now` for `POST /api/events`: busier on workdays, slowly growing.
    pub(super) fn events(&self, now: DateTime<Utc>) -> Vec<Value> {
        let mut events = Vec::new();
        for age in (0..DAYS).rev() {
            let day = now - TimeDelta::days(age);
            let weekend = matches!(
                chrono::Datelike::weekday(&day),
                chrono::Weekday::Sat | chrono::Weekday::Sun
            );
            let growth = 20 + (DAYS - age) / 5;
            let count = if weekend { growth / 3 } else { growth } + i64::from(self.below(8));
            events.extend((0..count).map(|_| self.event(day)));
        }
        events
    }

    fn event(&self, day: DateTime<Utc>) -> Value {
        let mut draw = self.below(EVENTS.iter().map(|(_, share)| share).sum());
        let name = EVENTS
            .iter()
            .find(|(_, share)| {
                let hit = draw < *share;
                draw = draw.saturating_sub(*share);
                hit
            })
            .map_or("page_view", |(name, _)| name);
        json!({
            // Drawn from the seeded generator alone, so that seeding again counts nothing again.
            "event_id": uuid::Builder::from_random_bytes(self.0.bytes()).into_uuid(),
            "name": name,
            "ts": day - TimeDelta::minutes(i64::from(self.below(600))),
            "session_id": format!("demo-{}", self.below(2_000)),
        })
    }

    fn pick<T: Copy>(&self, from: &[T]) -> T {
        from[self.below(u32::try_from(from.len()).unwrap_or(1)) as usize]
    }

    fn below(&self, bound: u32) -> u32 {
        (self.0.unit() * f64::from(bound)) as u32
    }

    fn chance(&self, share: f64) -> bool {
        self.0.unit() < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_the_same_every_time_and_fits_one_batch() {
        let now: DateTime<Utc> = "2026-03-02T09:00:00Z".parse().unwrap();
        let make = || {
            let demo = Demo::new();
            (demo.lead(), demo.todo(now), demo.events(now))
        };
        assert_eq!(make(), make());
        let events = make().2;
        assert!((1500..=5000).contains(&events.len()), "{}", events.len());
    }
}
