//! Time to pixels and back, with zoom and pan. Pure, so that it can be tested without a window.

/// The part of time that is on screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeMap {
    /// Seconds at the left edge.
    pub from: f64,
    /// Seconds at the right edge.
    pub to: f64,
    /// Left edge, points.
    pub left: f32,
    /// Right edge, points.
    pub right: f32,
}

/// Nothing shorter than this is shown across the whole strip, seconds.
pub const SHORTEST: f64 = 0.002;

impl TimeMap {
    /// Where a time is drawn. Far outside the strip it is held near the edge, so that shapes stay small.
    pub fn x(&self, time: f64) -> f32 {
        let part = ((time - self.from) / (self.to - self.from).max(f64::MIN_POSITIVE)).clamp(-2.0, 3.0);
        self.left + (self.right - self.left) * part as f32
    }

    /// Which time is drawn at `x`.
    pub fn time(&self, x: f32) -> f64 {
        let width = (self.right - self.left).max(1.0);
        self.from + (self.to - self.from) * f64::from((x - self.left) / width)
    }

    /// Zooms by `factor` (above 1: closer) around `x`, within `whole`.
    #[must_use]
    pub fn zoomed(self, factor: f64, x: f32, whole: (f64, f64)) -> Self {
        let fixed = self.time(x);
        let part = f64::from((x - self.left) / (self.right - self.left).max(1.0)).clamp(0.0, 1.0);
        let length = ((self.to - self.from) / factor).clamp(SHORTEST, (whole.1 - whole.0).max(SHORTEST));
        Self { from: fixed - length * part, to: fixed + length * (1.0 - part), ..self }.inside(whole)
    }

    /// Moves by `points` to the left, within `whole`.
    #[must_use]
    pub fn panned(self, points: f32, whole: (f64, f64)) -> Self {
        let by = (self.to - self.from) * f64::from(points / (self.right - self.left).max(1.0));
        Self { from: self.from + by, to: self.to + by, ..self }.inside(whole)
    }

    /// Moves it so that nothing outside `whole` is shown, if it fits.
    fn inside(mut self, whole: (f64, f64)) -> Self {
        let length = (self.to - self.from).min((whole.1 - whole.0).max(SHORTEST));
        if self.from < whole.0 {
            self.from = whole.0;
        }
        if self.from + length > whole.1 {
            self.from = (whole.1 - length).max(whole.0);
        }
        self.to = self.from + length;
        self
    }

    /// Distance of axis labels, seconds: the smallest round one that leaves `min_points` between them.
    pub fn tick_step(&self, min_points: f32) -> f64 {
        const STEPS: [f64; 26] = [
            0.000_1, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0,
            1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0,
        ];
        let per_point = (self.to - self.from) / f64::from((self.right - self.left).max(1.0));
        let least = per_point * f64::from(min_points);
        STEPS.into_iter().find(|step| *step >= least).unwrap_or(604_800.0_f64.max(least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: TimeMap = TimeMap { from: 100.0, to: 200.0, left: 0.0, right: 1000.0 };
    const WHOLE: (f64, f64) = (100.0, 200.0);

    #[test]
    fn times_and_places_correspond() {
        for x in [0.0, 250.0, 1000.0] {
            assert!((MAP.x(MAP.time(x)) - x).abs() < 0.01);
        }
    }

    #[test]
    fn zoom_keeps_the_time_under_the_pointer() {
        let zoomed = MAP.zoomed(4.0, 300.0, WHOLE);
        assert!((zoomed.time(300.0) - MAP.time(300.0)).abs() < 1e-9);
        assert!((zoomed.to - zoomed.from - 25.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_outside_is_shown() {
        assert_eq!(MAP.zoomed(0.01, 10.0, WHOLE), MAP);
        let panned = MAP.zoomed(2.0, 0.0, WHOLE).panned(10_000.0, WHOLE);
        assert!((panned.to - 200.0).abs() < 1e-9 && (panned.from - 150.0).abs() < 1e-9);
        assert!(MAP.zoomed(1e12, 500.0, WHOLE).to - MAP.zoomed(1e12, 500.0, WHOLE).from >= SHORTEST * 0.99);
    }

    #[test]
    fn empty_time_does_not_divide_by_zero() {
        let map = TimeMap { from: 5.0, to: 5.0, left: 0.0, right: 0.0 };
        assert!(map.x(5.0).is_finite() && map.time(3.0).is_finite() && map.tick_step(80.0) > 0.0);
    }
}
