"""Makes the files that test/data compares with: what Pillow, NumPy and transformers give for small inputs.

Written beside this script: images/ (tiny files of every kind), arrays/ (.npy files of every kind) and expected.json.
Run after `npm run setup`, with Pillow 13, NumPy 2 and transformers 5 (no PyTorch needed):

    python test/golden/data/make.py
"""

import hashlib
import json
import os
import pathlib
import struct
import sys
import zlib

import numpy as np
import PIL
from PIL import Image, ImageCms, PngImagePlugin

os.environ['TRANSFORMERS_VERBOSITY'] = 'error'
import transformers
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

HERE = pathlib.Path(__file__).parent
IMAGES = HERE / 'images'
ARRAYS = HERE / 'arrays'


def synthetic(width, height, seed, kind='noise'):
    """The image that test/data/synthetic.ts draws too: a linear congruential generator modulo 2^32, its highest byte.

    'noise' takes all levels, 'extremes' 0 and 255 only (so that a filter with negative weights must clip).
    """
    state, out = seed, bytearray()
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append(state >> 24 if kind == 'noise' else 255 * (state >> 31))
    return np.frombuffer(bytes(out), np.uint8).reshape(height, width, 3)


def sha256(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def smooth(width=23, height=17):
    """A small picture with edges and gradients, on which JPEG decoders differ."""
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x / (width - 1)
    green = 255 * y / (height - 1)
    blue = np.where((x // 5 + y // 4) % 2 == 0, 230, 20)
    return np.stack([red, green, blue], -1).round().astype(np.uint8)


# ---- resizing ----

SIZES = [
    (256, 256, 224, 224), (400, 300, 224, 224), (32, 32, 224, 224), (500, 375, 224, 224), (153, 153, 224, 224),
    (1, 1, 5, 7), (1, 9, 3, 3), (9, 1, 3, 3), (2, 2, 1, 1), (7, 7, 3, 2), (224, 100, 224, 50), (100, 224, 50, 224),
    (64, 64, 64, 64), (333, 251, 341, 256), (101, 67, 37, 41), (300, 3, 10, 90),
    # The height loses more than twice as many pixels as the width: columns first.
    (13, 17, 224, 1), (60, 240, 48, 48), (40, 151, 20, 50), (40, 111, 20, 50), (40, 90, 20, 50),
]


def resizes():
    for number, (width, height, to_width, to_height) in enumerate(SIZES):
        for resample in ('bilinear', 'bicubic'):
            kind = 'extremes' if number % 3 == 1 else 'noise'
            image = Image.fromarray(synthetic(width, height, number, kind))
            resized = image.resize((to_width, to_height), getattr(Image.Resampling, resample.upper()))
            yield {
                'from': [width, height], 'to': [to_width, to_height], 'resample': resample, 'seed': number, 'kind': kind,
                'sha256': sha256(np.asarray(resized)),
            }


# ---- preprocessing ----

def preprocessings():
    vit = ViTImageProcessorPil()
    dino = BitImageProcessorPil(
        size={'shortest_edge': 256}, crop_size={'height': 224, 'width': 224}, resample=3,
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225],
    )
    for name, processor in (('vit', vit), ('dinov2', dino)):
        for seed, (width, height) in enumerate([(300, 260), (260, 300), (64, 48)]):
            image = synthetic(width, height, 100 + seed)
            pixels = processor(Image.fromarray(image), return_tensors='np')['pixel_values'][0]
            assert pixels.dtype == np.float32 and pixels.shape == (3, 224, 224)
            at = [[0, 0, 0], [1, 100, 17], [2, 223, 223]]
            yield {
                'processor': name, 'size': [width, height], 'seed': 100 + seed,
                'sha256OfFloat32': sha256(pixels), 'at': at, 'values': [float(pixels[tuple(i)]) for i in at],
            }


# ---- image files ----

def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(width, height, bits, colour, rows, interlaced=0):
    header = struct.pack('>IIBBBBB', width, height, bits, colour, 0, 0, interlaced)
    data = chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + data


def interlaced_png(pixels):
    """Adam7, which Pillow reads and does not write."""
    rows = b''
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    for top, left, down, right in passes:
        part = pixels[top::down, left::right]
        if part.size:
            rows += b''.join(b'\0' + row.tobytes() for row in part)
    return png(pixels.shape[1], pixels.shape[0], 8, 2, rows, interlaced=1)


def write_images():
    """Writes every kind of file; returns what Pillow sees in the usable ones, and why the others are not."""
    IMAGES.mkdir(exist_ok=True)
    for old in IMAGES.iterdir():
        old.unlink()
    pixels = smooth()
    rgb = Image.fromarray(pixels)
    usable, unusable = [], {}

    def good(name, image=None, data=None, **options):
        usable.append(name)
        if data is None:
            image.save(IMAGES / name, **options)
        else:
            (IMAGES / name).write_bytes(data)

    def bad(name, reason, image=None, data=None, **options):
        unusable[name] = reason
        if data is None:
            image.save(IMAGES / name, **options)
        else:
            (IMAGES / name).write_bytes(data)

    good('chroma-halved.jpg', rgb, quality=85, subsampling='4:2:0')
    good('chroma-halved-across.jpg', rgb, quality=85, subsampling='4:2:2')
    good('chroma-full.jpg', rgb, quality=95, subsampling='4:4:4')
    good('progressive.jpg', rgb, quality=80, progressive=True)
    good('restart-markers.jpg', rgb, quality=80, restart_marker_blocks=1)
    good('stored-as-rgb.jpg', rgb, quality=90, keep_rgb=True)
    good('one-pixel.jpg', Image.fromarray(pixels[:1, :1]))
    exif = Image.Exif()
    exif[274] = 6
    good('lies-on-its-side.jpg', rgb, quality=90, exif=exif)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile('XYZ')).tobytes()
    good('colour-profile.jpg', rgb, quality=90, icc_profile=profile)
    good('rgb.png', rgb)
    good('transparent-colour.png', rgb, transparency=tuple(int(v) for v in pixels[3, 4]))
    gamma = PngImagePlugin.PngInfo()
    gamma.add(b'gAMA', struct.pack('>I', 100000))
    good('gamma.png', rgb, pnginfo=gamma)
    good('interlaced.png', data=interlaced_png(pixels))
    good('a-jpeg-by-content.png', data=(IMAGES / 'chroma-full.jpg').read_bytes())

    bad('grey.jpg', 'grey, not RGB', rgb.convert('L'))
    bad('cmyk.jpg', 'CMYK, not RGB', rgb.convert('CMYK'))
    bad('grey.png', 'grey, not RGB', rgb.convert('L'))
    bad('bilevel.png', 'grey, not RGB', rgb.convert('1'))
    bad('grey-16-bits.png', 'grey, not RGB', Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257))
    bad('grey-alpha.png', 'grey with alpha, not RGB', rgb.convert('LA'))
    bad('alpha.png', 'colour with alpha, not RGB', rgb.convert('RGBA'))
    bad('palette.png', 'a palette, not RGB', rgb.quantize(16))
    wide = b''.join(b'\0' + (row.astype('>u2') * 257).tobytes() for row in pixels)
    bad('16-bits.png', '16 bits a channel, not 8', data=png(23, 17, 16, 2, wide))
    jpeg = (IMAGES / 'chroma-full.jpg').read_bytes()
    portable = (IMAGES / 'rgb.png').read_bytes()
    bad('cut-short.jpg', 'broken JPEG data', data=jpeg[: len(jpeg) * 3 // 4])
    bad('cut-in-the-header.jpg', 'broken JPEG data', data=jpeg[:100])
    bad('cut-short.png', 'broken PNG data', data=portable[: len(portable) * 3 // 4])
    flipped = bytearray(portable)
    flipped[len(flipped) // 2] ^= 1
    bad('one-bit-flipped.png', 'broken PNG data', data=bytes(flipped))
    bad('claims-60000-pixels-square.png', '60000 x 60000 pixels need 65 GB of memory', data=png(60000, 60000, 8, 2, b'\0'))
    frame = jpeg.index(b'\xff\xc0')
    lying = jpeg[: frame + 5] + struct.pack('>HH', 65000, 65000) + jpeg[frame + 9 :]
    bad('claims-65000-pixels-square.jpg', '65000 x 65000 pixels need 76 GB of memory', data=lying)
    bad('text.jpg', 'neither JPEG nor PNG', data=b'This is no image.\n')
    bad('empty.png', 'an empty file', data=b'')
    bad('gif.jpg', 'neither JPEG nor PNG', rgb, format='GIF')

    decoded = {}
    for name in usable:
        image = Image.open(IMAGES / name)
        assert image.mode == 'RGB', (name, image.mode)
        decoded[name] = {'size': list(image.size), 'sha256': sha256(np.asarray(image))}
    return decoded, unusable


def fetched():
    """Pillow's pixels of what set-up fetched: the photographs and CIFAR-10's strip."""
    cache = HERE.parents[2] / 'data' / 'cache'
    files = sorted(cache.glob('photos/*')) + [cache / 'cifar10' / 'test_batch.png']
    return {str(file.relative_to(cache)): sha256(np.asarray(Image.open(file))) for file in files}


# ---- arrays ----

def write_arrays():
    """The same 3 x 4 numbers in every form NumPy writes, and forms that are refused."""
    ARRAYS.mkdir(exist_ok=True)
    for old in ARRAYS.iterdir():
        old.unlink()
    x = np.arange(12).reshape(3, 4) - 2.5
    written = {}

    def save(name, array, version=(1, 0)):
        with open(ARRAYS / name, 'wb') as file:
            np.lib.format.write_array(file, array, version=version)
        written[name] = {'dtype': array.dtype.newbyteorder('=').name, 'shape': list(array.shape),
                         'values': [float(v) for v in array.ravel(order='C')]}

    save('float64.npy', x)
    save('float32.npy', x.astype(np.float32))
    save('fortran.npy', np.asfortranarray(x))
    save('fortran-rank-3.npy', np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)))
    save('big-endian-float64.npy', x.astype('>f8'))
    save('big-endian-float32.npy', x.astype('>f4'))
    save('big-endian-int64.npy', np.arange(6, dtype='>i8').reshape(2, 3))
    save('version-2.npy', x, version=(2, 0))
    save('version-3.npy', x, version=(3, 0))
    save('int32.npy', np.arange(6, dtype=np.int32).reshape(2, 3))
    save('int64.npy', np.arange(6, dtype=np.int64).reshape(2, 3) * 1000)
    for dtype in ('int8', 'int16', 'uint8', 'uint16', 'uint32', 'uint64', '>i2', '>u8'):
        kind = np.iinfo(dtype)
        name = np.dtype(dtype).newbyteorder('=').name
        extremes = np.array([[kind.min, 1, kind.max], [3, kind.max - 1, 100]], dtype=dtype)
        save(f'big-endian-{name}.npy' if dtype[0] == '>' else f'{name}.npy', extremes)
    save('scalar.npy', np.array(7.0))
    save('rank-1.npy', np.arange(4.0))
    save('rank-4.npy', np.arange(24.0, dtype=np.float32).reshape(1, 3, 2, 4))
    save('no-rows.npy', np.zeros((0, 4)))
    for name, array in {
        'half.npy': x.astype(np.float16), 'truths.npy': x > 0, 'complex.npy': x.astype(np.complex128),
        'texts.npy': x.astype('U8'), 'fields.npy': np.zeros(3, [('a', '<f4'), ('b', '<i4')]),
    }.items():
        np.save(ARRAYS / name, array)
    np.save(ARRAYS / 'object.npy', np.array([{'layer': 1}, None], dtype=object), allow_pickle=True)
    matrix = np.arange(6, dtype=np.float64).reshape(3, 2) / 3
    np.savez(ARRAYS / 'one.npz', features=matrix)
    np.savez_compressed(ARRAYS / 'two.npz', features=np.asfortranarray(matrix), labels=np.arange(3))
    return written


if __name__ == '__main__':
    decoded, unusable = write_images()
    expected = {
        'madeBy': {
            'script': 'test/golden/data/make.py', 'python': sys.version.split()[0], 'pillow': PIL.__version__,
            'numpy': np.__version__, 'transformers': transformers.__version__,
        },
        'resize': list(resizes()),
        'preprocess': list(preprocessings()),
        'decoded': decoded,
        'unusable': unusable,
        'arrays': write_arrays(),
        'fetched': fetched(),
    }
    with open(HERE / 'expected.json', 'w') as file:
        json.dump(expected, file, indent=1)
        file.write('\n')
