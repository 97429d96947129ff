_base_ = ['./devias_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

# the cosine term of the published code: slots of a clip are pushed to opposite directions
model = dict(cosine='signed')
