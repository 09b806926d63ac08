"""What Pillow and transformers' image processors give, for test/data and test/models: orientations, images that are converted to
RGB, and every class of processors with the sizes that its files may name.

Written beside this script: orientations/ and processors.json. Needs what make.py needs, and torch and torchvision for DINOv3's:

    python test/golden/data/processors.py
"""

import json
import os

import numpy as np
import PIL
from PIL import Image, ImageOps
from make import HERE, IMAGES, sha256, smooth, synthetic

os.environ['TRANSFORMERS_VERBOSITY'] = 'error'
import transformers
from transformers.models.beit.image_processing_pil_beit import BeitImageProcessorPil
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.dinov3_vit.image_processing_dinov3_vit import DINOv3ViTImageProcessor
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

FOLDER = HERE / 'orientations'


def orientations():
    FOLDER.mkdir(exist_ok=True)
    image = Image.fromarray(smooth())
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        for kind in ('png', 'jpg'):
            path = FOLDER / f'{orientation}.{kind}'
            image.save(path, exif=exif, **({'quality': 90} if kind == 'jpg' else {}))
            upright = ImageOps.exif_transpose(Image.open(path))
            yield path.name, {'size': list(upright.size), 'sha256': sha256(np.asarray(upright))}


def converted():
    few = Image.fromarray(smooth()).quantize(4)
    few.save(FOLDER / 'palette-2-bits.png', bits=2)
    few.save(FOLDER / 'palette-transparent.png', transparency=1)
    files = [IMAGES / name for name in ['grey.jpg', 'grey.png', 'bilevel.png', 'grey-alpha.png', 'alpha.png', 'palette.png']]
    for path in files + [FOLDER / 'palette-2-bits.png', FOLDER / 'palette-transparent.png']:
        image = Image.open(path)
        yield str(path.relative_to(HERE)), {'mode': image.mode, 'sha256': sha256(np.asarray(image.convert('RGB')))}


# The class as a file names it, what transformers reads it with, and the file's other keys.
CASES = [
    ('ViTImageProcessor', ViTImageProcessorPil, {}),
    ('ViTFeatureExtractor', ViTImageProcessorPil, {'size': 30}),
    ('ViTImageProcessorFast', ViTImageProcessorPil, {'size': {'height': 30, 'width': 20}, 'resample': 3}),
    ('ViTImageProcessor', ViTImageProcessorPil, {'size': [20, 30]}),
    ('ViTImageProcessor', ViTImageProcessorPil, {'size': 30, 'do_center_crop': True, 'crop_size': 20}),
    ('DeiTImageProcessor', DeiTImageProcessorPil, {}),
    ('DeiTFeatureExtractor', DeiTImageProcessorPil, {'size': 73, 'crop_size': 64}),
    ('DeiTFeatureExtractor', DeiTImageProcessorPil, {'size': 73, 'do_center_crop': False}),
    ('BeitImageProcessor', BeitImageProcessorPil, {}),
    ('BeitFeatureExtractor', BeitImageProcessorPil, {'size': 30, 'do_center_crop': True, 'crop_size': 24}),
    ('CLIPImageProcessor', CLIPImageProcessorPil, {}),
    ('CLIPFeatureExtractor', CLIPImageProcessorPil, {'size': 30, 'crop_size': 20}),
    ('CLIPImageProcessor', CLIPImageProcessorPil, {'size': {'height': 30, 'width': 24}, 'do_center_crop': False}),
    ('BitImageProcessor', BitImageProcessorPil, {'size': {'shortest_edge': 30}, 'crop_size': {'height': 20, 'width': 24}}),
    ('SiglipImageProcessor', SiglipImageProcessorPil, {}),
    ('SiglipImageProcessor', SiglipImageProcessorPil, {'size': {'height': 30, 'width': 30}}),
    ('ConvNextFeatureExtractor', ConvNextImageProcessorPil, {'size': 30}),
    ('ConvNextImageProcessor', ConvNextImageProcessorPil, {'size': {'shortest_edge': 384}, 'crop_pct': 0.95}),
    ('ConvNextImageProcessor', ConvNextImageProcessorPil, {'size': {'shortest_edge': 40}, 'crop_pct': 0.9}),
    ('DINOv3ViTImageProcessorFast', DINOv3ViTImageProcessor, {'size': {'height': 30, 'width': 30}}),
    ('DINOv3ViTImageProcessor', DINOv3ViTImageProcessor, {'size': {'height': 80, 'width': 20}, 'resample': 3}),
]


def processors():
    for seed, (name, processor, keys) in enumerate(CASES):
        width, height = [(60, 40), (35, 50)][seed % 2]
        image = Image.fromarray(synthetic(width, height, 500 + seed))
        pixels = np.asarray(processor(**keys)(image, return_tensors='np')['pixel_values'][0])
        assert pixels.dtype == np.float32
        flat = pixels.ravel()
        at = [int(i) for i in np.linspace(0, flat.size - 1, 24)]
        yield {
            'type': name, 'keys': keys, 'size': [width, height], 'seed': 500 + seed, 'shape': list(pixels.shape),
            'sha256OfFloat32': sha256(pixels), 'at': at, 'values': [float(flat[i]) for i in at],
        }


if __name__ == '__main__':
    content = {
        'made by': f'test/golden/data/processors.py with Pillow {PIL.__version__}, transformers {transformers.__version__}',
        'orientations': dict(orientations()),
        'converted': dict(converted()),
        'processors': list(processors()),
    }
    (HERE / 'processors.json').write_text(json.dumps(content, indent=1) + '\n')
