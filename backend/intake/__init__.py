"""From the archive into a project: images and DICOM read, made anonymous, checked for repeats, imported as tasks."""
