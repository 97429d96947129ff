_base_ = ['./devias-paper_conv-tokens_1xb16-8x2x1-16e_puppets-rgb.py']

# DEVIAS Table 6 (h): softmax over the tokens instead of the slots
model = dict(slot_attention=dict(softmax_axis='tokens'))
