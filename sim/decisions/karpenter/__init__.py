"""What Karpenter decides, core and AWS provider v1.14.1: packing, launching, disrupting."""
