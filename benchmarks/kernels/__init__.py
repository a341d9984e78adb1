"""What each kernel costs per pixel, and all of them in one loop."""
