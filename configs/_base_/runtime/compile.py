# torch.compile; in the list of bases it is on. Its first steps take minutes.
compile = dict(backend='inductor')
