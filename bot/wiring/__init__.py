"""The composition root: settings → adapters → services, flow and jobs → web and worker."""
