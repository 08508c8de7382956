//! Products with quantised matrices: weights of 4 or 8 bits in blocks of 32 (GGML's `Q4_1` and `Q8_0`), the input in 8
//! bits, sums in whole numbers. Compiled for the vector units of the machine it runs on, chosen at run time.

use pulp::{Arch, Simd, WithSimd};

/// Numbers in a block.
pub(super) const BLOCK: usize = 32;

/// How a block is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Two half floats, `d` and `m`, and 32 numbers of 4 bits: `q * d + m`.
    Q4_1,
    /// A half float, `d`, and 32 numbers of 8 bits: `q * d`.
    Q8_0,
}

impl Packing {
    /// Bytes of a block.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Q4_1 => 20,
            Self::Q8_0 => 34,
        }
    }
}

/// A matrix as the file has it.
pub(super) struct Matrix {
    packing: Packing,
    columns: usize,
    bytes: Vec<u8>,
}

impl Matrix {
    /// `columns` must be a whole number of blocks, and `bytes` one of rows.
    pub(super) fn new(packing: Packing, columns: usize, bytes: Vec<u8>) -> Option<Self> {
        let row = columns / BLOCK * packing.bytes();
        let fits = columns.is_multiple_of(BLOCK) && row > 0 && bytes.len().is_multiple_of(row);
        fits.then_some(Self {
            packing,
            columns,
            bytes,
        })
    }

    const fn row_bytes(&self) -> usize {
        self.columns / BLOCK * self.packing.bytes()
    }

    /// Numbers that a product has.
    pub(super) const fn rows(&self) -> usize {
        self.bytes.len() / self.row_bytes()
    }

    /// One row, unpacked; nothing for a row that there is not.
    pub(super) fn row(&self, index: usize, out: &mut [f32]) {
        let Some(bytes) = self.bytes.chunks_exact(self.row_bytes()).nth(index) else {
            return;
        };
        let mut row = Row::new(self.columns);
        row.unpack(self.packing, bytes);
        for (block, out) in out.chunks_exact_mut(BLOCK).enumerate() {
            for (out, value) in out.iter_mut().zip(&row.values[block * BLOCK..]) {
                *out = f32::from(*value) * row.scales[block] + row.offsets[block];
            }
        }
    }

    /// The product with each row of the input, one after the other.
    pub(super) fn multiply(&self, input: &Quantized, out: &mut [f32]) {
        Arch::new().dispatch(Multiply {
            matrix: self,
            input,
            out,
        });
    }
}

/// Rows of numbers in blocks of 8 bits.
pub(super) struct Quantized {
    values: Vec<i8>,
    scales: Vec<f32>,
    /// Of each block, the sum of its numbers: what the offsets of the weights are multiplied with.
    sums: Vec<f32>,
}

impl Quantized {
    /// Quantises rows of `width` numbers, a whole number of blocks.
    pub(super) fn of(rows: &[f32], width: usize) -> Self {
        debug_assert!(width.is_multiple_of(BLOCK) && rows.len().is_multiple_of(width));
        let mut quantized = Self {
            values: vec![0; rows.len()],
            scales: vec![0.0; rows.len() / BLOCK],
            sums: vec![0.0; rows.len() / BLOCK],
        };
        Arch::new().dispatch(Quantize {
            rows,
            into: &mut quantized,
        });
        quantized
    }
}

struct Quantize<'a> {
    rows: &'a [f32],
    into: &'a mut Quantized,
}

impl WithSimd for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let values = self.into.values.chunks_exact_mut(BLOCK);
        for (index, (block, values)) in self.rows.chunks_exact(BLOCK).zip(values).enumerate() {
            let most = block.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            let scale = most / 127.0;
            let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
            let mut sum = 0_i32;
            for (value, x) in values.iter_mut().zip(block) {
                *value = (x * inverse).round_ties_even() as i8;
                sum += i32::from(*value);
            }
            self.into.scales[index] = scale;
            self.into.sums[index] = sum as f32 * scale;
        }
    }
}

/// A row of a matrix, unpacked.
struct Row {
    values: Vec<i8>,
    scales: Vec<f32>,
    offsets: Vec<f32>,
}

impl Row {
    fn new(columns: usize) -> Self {
        Self {
            values: vec![0; columns],
            scales: vec![0.0; columns / BLOCK],
            offsets: vec![0.0; columns / BLOCK],
        }
    }

    #[inline(always)]
    fn unpack(&mut self, packing: Packing, bytes: &[u8]) {
        let (values, _) = self.values.as_chunks_mut::<BLOCK>();
        match packing {
            Packing::Q4_1 => {
                let (blocks, _) = bytes.as_chunks::<20>();
                for (index, (block, values)) in blocks.iter().zip(values).enumerate() {
                    self.scales[index] = half(block[0], block[1]);
                    self.offsets[index] = half(block[2], block[3]);
                    for at in 0..BLOCK / 2 {
                        values[at] = (block[4 + at] & 15) as i8;
                        values[at + BLOCK / 2] = (block[4 + at] >> 4) as i8;
                    }
                }
            }
            Packing::Q8_0 => {
                let (blocks, _) = bytes.as_chunks::<34>();
                for (index, (block, values)) in blocks.iter().zip(values).enumerate() {
                    self.scales[index] = half(block[0], block[1]);
                    for at in 0..BLOCK {
                        values[at] = block[2 + at] as i8;
                    }
                }
            }
        }
    }
}

struct Multiply<'a> {
    matrix: &'a Matrix,
    input: &'a Quantized,
    out: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Matrix {
            packing, columns, ..
        } = *self.matrix;
        let (rows, blocks) = (self.matrix.rows(), columns / BLOCK);
        let mut row = Row::new(columns);
        let bytes = self.matrix.bytes.chunks_exact(self.matrix.row_bytes());
        for (index, bytes) in bytes.enumerate() {
            row.unpack(packing, bytes);
            let (weights, _) = row.values.as_chunks::<BLOCK>();
            for (token, out) in self.out.chunks_exact_mut(rows).enumerate() {
                let (input, _) =
                    self.input.values[token * columns..][..columns].as_chunks::<BLOCK>();
                let scales = &self.input.scales[token * blocks..][..blocks];
                let sums = &self.input.sums[token * blocks..][..blocks];
                let mut total = 0.0;
                for block in 0..blocks {
                    let product = dot(&weights[block], &input[block]) as f32;
                    total += product * (row.scales[block] * scales[block])
                        + row.offsets[block] * sums[block];
                }
                out[index] = total;
            }
        }
    }
}

#[inline(always)]
fn dot(a: &[i8; BLOCK], b: &[i8; BLOCK]) -> i32 {
    let mut sum = 0;
    for at in 0..BLOCK {
        sum += i32::from(a[at]) * i32::from(b[at]);
    }
    sum
}

/// A half float, little-endian. The factor moves the exponent to where a float has it, which is exact, also for numbers
/// so small that they have no leading one. (Infinities do not occur in weights.)
#[inline(always)]
fn half(low: u8, high: u8) -> f32 {
    let bits = u32::from(u16::from_le_bytes([low, high]));
    let number = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits(0x7780_0000);
    f32::from_bits(number.to_bits() | (bits & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern, between -1 and 1.
    fn noise(count: usize, mut seed: u32) -> Vec<f32> {
        let next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_388_608.0 - 1.0
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    /// Bytes of a matrix with small scales.
    fn bytes(packing: Packing, blocks: usize) -> Vec<u8> {
        let noise = noise(blocks * packing.bytes(), 7);
        let mut bytes: Vec<u8> = noise.iter().map(|x| (x * 127.0) as i8 as u8).collect();
        for block in bytes.chunks_exact_mut(packing.bytes()) {
            (block[0], block[1]) = (0x66, 0x2e); // 0.1
            if packing == Packing::Q4_1 {
                (block[2], block[3]) = (0x00, 0xb8); // -0.5
            }
        }
        bytes
    }

    #[test]
    fn half_floats_are_read_exactly() {
        for (low, high, number) in [
            (0x00, 0x3c, 1.0),
            (0x00, 0xc0, -2.0),
            (0xff, 0x7b, 65_504.0),
            (0x01, 0x00, 5.960_464_5e-8),
            (0x00, 0x00, 0.0),
            (0x00, 0xb8, -0.5),
        ] {
            assert_eq!(half(low, high), number);
        }
    }

    #[test]
    fn a_product_is_near_the_product_of_the_unpacked_numbers() {
        let (columns, rows, tokens) = (96, 5, 3);
        for packing in [Packing::Q4_1, Packing::Q8_0] {
            let matrix = bytes(packing, columns / BLOCK * rows);
            let matrix = Matrix::new(packing, columns, matrix).unwrap();
            assert_eq!(matrix.rows(), rows);
            let input = noise(columns * tokens, 3);
            let mut products = vec![0.0; rows * tokens];
            matrix.multiply(&Quantized::of(&input, columns), &mut products);
            let mut row = vec![0.0; columns];
            for (token, products) in products.chunks_exact(rows).enumerate() {
                for (index, product) in products.iter().enumerate() {
                    matrix.row(index, &mut row);
                    let input = &input[token * columns..][..columns];
                    let exact: f32 = row.iter().zip(input).map(|(a, b)| a * b).sum();
                    let size: f32 = row.iter().zip(input).map(|(a, b)| (a * b).abs()).sum();
                    assert!(
                        (product - exact).abs() < size * 0.01,
                        "{product} for {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_matrix_of_the_wrong_size_is_refused() {
        assert!(Matrix::new(Packing::Q4_1, 96, vec![0; 61]).is_none());
        assert!(Matrix::new(Packing::Q4_1, 90, vec![0; 60]).is_none());
        assert!(Matrix::new(Packing::Q8_0, 0, Vec::new()).is_none());
    }
}
