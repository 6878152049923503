"""Components: made in mount(), and declared on the class."""

from djust import LiveComponent, LiveView
from djust.components import base
from djust.components.mixins.base import TypedState
from djust.decorators import event_handler


class Stepper(LiveComponent):
    """A number with plus and minus, made in mount()."""

    template_name = "lab/_stepper.html"

    def mount(self, label="", value=0, **kwargs):
        self.label = label
        self.value = value

    def get_context_data(self, **kwargs):
        return {
            "label": self.label,
            "value": self.value,
            "component_id": self.component_id,
            "slug": self.label.lower(),
        }

    @event_handler()
    def plus(self, **kwargs):
        """Add one."""
        self.value += 1
        self.trigger_update()

    @event_handler()
    def minus(self, **kwargs):
        """Take one away."""
        self.value -= 1
        self.trigger_update()


class ComponentsView(LiveView):
    """Two steppers of one class, and a counter of the page itself."""

    template_name = "lab/components.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.adults = Stepper(label="Adults", value=2)
        self.children = Stepper(label="Children", value=0)
        self.clicks = 0

    @event_handler()
    def click(self, **kwargs):
        """Count a click on the page, outside both components."""
        self.clicks += 1

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        # As text, whose change every djust notices; before 1.2 a component that
        # changed inside looks the same as before. A jump through djust puts text
        # where the component was, and then nothing is left to render.
        for name in ("adults", "children"):
            part = getattr(self, name, None)
            context[f"{name}_html"] = part.render() if isinstance(part, LiveComponent) else ""
        return context


class Disclosure(LiveComponent):
    """A question that opens and closes; its state belongs to each view."""

    template_name = "lab/_disclosure.html"

    class State(TypedState):
        question: str = ""
        answer: str = ""
        is_open: bool = False
        opened: int = 0

    class Meta:
        event = "disclose"

    def _handle_event(self, state, **kwargs):
        """Open or close."""
        state.is_open = not state.is_open
        if state.is_open:
            state.opened += 1


# Before 1.2 djust does not route a component event to a component of the class.
ROUTED = hasattr(base, "BoundComponent")


class BoundView(LiveView):
    """Two disclosures declared on the class."""

    template_name = "lab/bound.html"
    login_required = False
    time_travel_enabled = True

    shipping = Disclosure(question="When does it ship?", answer="Within two days.")
    returns = Disclosure(question="Can I return it?", answer="For thirty days, yes.")

    def mount(self, request, **kwargs):
        self.helpful = 0
        self.disclosed = 0

    @event_handler()
    def vote(self, **kwargs):
        """Count a vote on the page itself."""
        self.helpful += 1

    @event_handler()
    def disclose_here(self, name: str = "", **kwargs):
        """The way round before djust 1.2: the page opens the question itself."""
        if name in ("shipping", "returns"):
            state = dict(getattr(self, name))
            state["is_open"] = not state["is_open"]
            state["opened"] += int(state["is_open"])
            setattr(self, name, state)
            # That djust looks only at public attributes for a change.
            self.disclosed += 1

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context["routed"] = ROUTED
        return context
