# The small encoder of the embedded benchmark: 199 k parameters, 144 tokens.
backbone = dict(type='ConvTokenEncoder', input_size=(8, 48, 48))
clip_preprocessor = dict(type='DebiasDataPreprocessor', mean=[114.75] * 3, std=[63.75] * 3)
