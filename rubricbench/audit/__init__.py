"""Any reward on a frozen pool of samples with gold: how far can it be optimised?"""
