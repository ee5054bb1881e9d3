//! Reading order: lines of one direction are set upright and become rows; rows that stand in columns are read column by
//! column; text that runs another way is read for itself.

use super::upright::{Extent, LaidLine, extents, groups};

/// Lines whose middles are nearer than this, in heights of the lower line, stand in one row.
const SAME_ROW: f32 = 0.5;
/// The same for lines of a row that are not next to each other.
const SAME_LONG_ROW: f32 = 0.7;
/// Letters this many times higher are another row: a heading beside small print.
const MAX_HEIGHT_RATIO: f32 = 2.5;
/// Lines of one row share no more than this part of their width.
const MAX_OVERLAP: f32 = 0.3;
/// Columns need this many lines each.
const MIN_COLUMN_LINES: usize = 3;
/// Columns of text have lines this long, in mean characters; shorter ones are labels, prices or names in a table.
const MIN_COLUMN_CHARS: f32 = 14.0;
/// Width of the gap between columns, in line heights.
const MIN_GUTTER: f32 = 0.6;

/// A row: indices of its lines from left to right.
pub type Row = Vec<usize>;

/// The rows of a page in reading order.
pub fn rows(lines: &[LaidLine]) -> Vec<Row> {
    let of_group = |group: Vec<usize>| {
        let extents = extents(lines, &group);
        in_columns(group_rows(&extents, group), &extents, lines)
    };
    groups(lines).into_iter().flat_map(of_group).collect()
}

/// Lines of one height become rows, top to bottom; within a row from left to right.
///
/// The pairs that fit best are joined first, so that on a bent page every price finds its own item.
fn group_rows(extents: &[Extent], mut lines: Vec<usize>) -> Vec<Row> {
    lines.sort_by(|&a, &b| extents[a].middle.total_cmp(&extents[b].middle));
    let misfit = |a: usize, b: usize| {
        let (a, b) = (&extents[a], &extents[b]);
        let apart = a.overlap(b) < MAX_OVERLAP * a.width().min(b.width());
        apart.then(|| a.drop_to(b).abs() / a.height.min(b.height))
    };
    let mut pairs: Vec<(f32, usize, usize)> = vec![];
    for (i, &a) in lines.iter().enumerate() {
        for (j, &b) in lines.iter().enumerate().skip(i + 1) {
            let (low, high) = (extents[a].height.min(extents[b].height), extents[a].height.max(extents[b].height));
            if let Some(misfit) = misfit(a, b).filter(|&m| m < SAME_ROW && high <= MAX_HEIGHT_RATIO * low) {
                pairs.push((misfit, i, j));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut row_of: Vec<usize> = (0..lines.len()).collect();
    let mut rows: Vec<Row> = lines.iter().map(|&line| vec![line]).collect();
    for (_, i, j) in pairs {
        let (a, b) = (row_of[i].min(row_of[j]), row_of[i].max(row_of[j]));
        let fits = |&x: &usize| rows[b].iter().all(|&y| misfit(x, y).is_some_and(|m| m < SAME_LONG_ROW));
        if a != b && rows[a].iter().all(fits) {
            let moved = std::mem::take(&mut rows[b]);
            rows[a].extend(moved);
            row_of.iter_mut().filter(|row| **row == b).for_each(|row| *row = a);
        }
    }
    rows.retain(|row| !row.is_empty());
    for row in &mut rows {
        row.sort_by(|&a, &b| extents[a].left.total_cmp(&extents[b].left));
    }
    let top = |row: &Row| row.iter().map(|&l| extents[l].middle).sum::<f32>() / row.len().max(1) as f32;
    rows.sort_by(|a, b| top(a).total_cmp(&top(b)));
    rows
}

/// Runs of rows that a gutter divides into columns of running text are read column by column, the rest row by row.
fn in_columns(rows: Vec<Row>, extents: &[Extent], lines: &[LaidLine]) -> Vec<Row> {
    let mut ordered = vec![];
    let mut at = 0;
    while at < rows.len() {
        let Some((end, gutter)) = longest_columns(&rows[at..], extents, lines) else {
            ordered.push(rows[at].clone());
            at += 1;
            continue;
        };
        let block: Vec<usize> = rows[at..at + end].iter().flatten().copied().collect();
        let (left, right) = block.into_iter().partition(|&l| extents[l].right <= gutter);
        for column in [left, right] {
            ordered.extend(in_columns(group_rows(extents, column), extents, lines));
        }
        at += end;
    }
    ordered
}

/// How many rows from the first on one gutter divides into two columns of text, and where it stands.
fn longest_columns(rows: &[Row], extents: &[Extent], lines: &[LaidLine]) -> Option<(usize, f32)> {
    if rows.first()?.len() < 2 && rows.get(1)?.len() < 2 {
        return None;
    }
    let mut best = None;
    for gap in rows.iter().take(2).flat_map(|row| row.windows(2)) {
        let (mut lo, mut hi) = (extents[gap[0]].right, extents[gap[1]].left);
        let (mut left, mut right): (Row, Row) = (vec![], vec![]);
        let mut end = 0;
        for row in rows {
            let (mut new_lo, mut new_hi) = (lo, hi);
            let middle = (lo + hi) / 2.0;
            let (mut l, mut r) = (vec![], vec![]);
            for &line in row {
                let e = extents[line];
                if (e.left + e.right) / 2.0 < middle {
                    new_lo = new_lo.max(e.right);
                    l.push(line);
                } else {
                    new_hi = new_hi.min(e.left);
                    r.push(line);
                }
            }
            let height = row.iter().map(|&l| extents[l].height).fold(f32::MAX, f32::min);
            if new_hi - new_lo < MIN_GUTTER * height {
                break;
            }
            (lo, hi) = (new_lo, new_hi);
            left.append(&mut l);
            right.append(&mut r);
            end += 1;
        }
        if is_column(&left, lines) && is_column(&right, lines) && best.is_none_or(|(most, _)| end > most) {
            best = Some((end, (lo + hi) / 2.0));
        }
    }
    best
}

/// Enough lines of running text, not the labels or prices of a table.
fn is_column(column: &[usize], lines: &[LaidLine]) -> bool {
    let n = column.len().max(1) as f32;
    let chars = column.iter().map(|&l| lines[l].chars as f32).sum::<f32>() / n;
    let letters = column.iter().map(|&l| lines[l].letters).sum::<f32>() / n;
    column.len() >= MIN_COLUMN_LINES && chars >= MIN_COLUMN_CHARS && letters >= 0.6
}

#[cfg(test)]
mod tests {
    use super::super::quad::{Point, Quad};
    use super::*;

    fn line(x: f32, y: f32, w: f32, h: f32, chars: usize) -> LaidLine {
        let corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)];
        LaidLine { quad: Quad(corners.map(|(x, y)| Point::new(x, y))), chars, letters: 0.9 }
    }

    #[test]
    fn a_receipt_is_read_row_by_row() {
        let mut lines = vec![];
        for i in 0..6 {
            lines.push(line(10.0, 30.0 * i as f32, 120.0, 20.0, 9));
            lines.push(LaidLine { letters: 0.0, ..line(300.0, 30.0 * i as f32 + 3.0, 60.0, 20.0, 5) });
        }
        let expected: Vec<Row> = (0..6).map(|i| vec![2 * i, 2 * i + 1]).collect();
        assert_eq!(rows(&lines), expected);
    }

    #[test]
    fn columns_of_text_are_read_one_after_the_other_below_their_heading() {
        let mut lines = vec![line(10.0, 0.0, 500.0, 40.0, 20)];
        for i in 0..5 {
            lines.push(line(10.0, 60.0 + 30.0 * i as f32, 220.0, 20.0, 25));
            lines.push(line(280.0, 60.0 + 30.0 * i as f32, 220.0, 20.0, 25));
        }
        let order: Vec<usize> = rows(&lines).concat();
        assert_eq!(order, [0, 1, 3, 5, 7, 9, 2, 4, 6, 8, 10]);
    }

    #[test]
    fn a_tilted_and_a_turned_page_keep_their_order() {
        let upright: Vec<LaidLine> = (0..5).map(|i| line(10.0, 40.0 * i as f32, 300.0, 20.0, 30)).collect();
        for degrees in [8.0f32, -20.0, 90.0, 180.0, 275.0] {
            let turned: Vec<LaidLine> = upright
                .iter()
                .rev()
                .map(|l| LaidLine { quad: l.quad.map(|p| p.rotated(degrees.to_radians())), ..l.clone() })
                .collect();
            assert_eq!(rows(&turned).concat(), [4, 3, 2, 1, 0], "{degrees} degrees");
        }
    }
}
