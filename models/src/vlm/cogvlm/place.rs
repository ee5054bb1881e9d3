//! Where a picture is in a sequence, and what that means for its positions.

use std::ops::Range;

/// The places of a sequence that are a picture's, its beginning and end among them; none if there is no picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicturePlace(Range<usize>);

impl PicturePlace {
    /// The picture is in these places.
    pub fn new(places: Range<usize>) -> Self {
        Self(places)
    }

    /// In every prompt a picture stands behind the token that begins it.
    pub fn in_prompt(picture_positions: usize) -> Self {
        Self(1..1 + picture_positions)
    }

    /// All its places.
    pub fn places(&self) -> Range<usize> {
        self.0.clone()
    }

    /// Of the places `offset .. offset + t`, those that go through the vision expert, counted from `offset`: the picture's but for
    /// its end, which goes through the language expert as all text does.
    pub fn expert_rows(&self, offset: usize, t: usize) -> Range<usize> {
        let row = |place: usize| place.clamp(offset, offset + t) - offset;
        row(self.0.start)..row(self.0.end.saturating_sub(1).max(self.0.start))
    }

    /// Positions of the places `offset .. offset + t`, by which queries and keys are turned: everything in a picture between its
    /// beginning and its end has the same one.
    pub fn positions(&self, offset: usize, t: usize) -> Vec<usize> {
        if self.0.len() < 3 {
            return (offset..offset + t).collect();
        }
        let (first, last) = (self.0.start + 1, self.0.end - 2);
        (offset..offset + t).map(|place| place - (place.clamp(first, last) - first)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand from `build_position_ids` and `get_expert_mask` of the published code, for a picture of four squares: one token
    /// before it, its beginning, the squares, its end, two tokens behind it.
    #[test]
    fn squares_share_a_position_and_the_end_belongs_to_the_text() {
        let place = PicturePlace::in_prompt(6);
        assert_eq!(place.positions(0, 9), [0, 1, 2, 2, 2, 2, 3, 4, 5]);
        assert_eq!(place.positions(7, 3), [4, 5, 6]);
        assert_eq!(place.expert_rows(0, 9), 1..6);
        assert_eq!(place.expert_rows(3, 4), 0..3);
        assert!(place.expert_rows(6, 3).is_empty() && place.expert_rows(40, 1).is_empty());
    }

    #[test]
    fn text_alone_is_counted_through() {
        let none = PicturePlace::new(0..0);
        assert_eq!(none.positions(2, 3), [2, 3, 4]);
        assert!(none.expert_rows(0, 5).is_empty());
    }
}
