from service_world import short_deadlines, world, worlds

__all__ = ["short_deadlines", "world", "worlds"]
