//! What a shown page may consist of. What is not here is not written.

/// Marks what a step changed. Recorded pages cannot bring it.
pub const CHANGED_MARK: &str = "data-djust-inspector-changed";

/// Marks what was a link, so that it still looks like one.
pub const LINK_MARK: &str = "data-djust-inspector-link";

/// Elements of HTML, SVG and `MathML` that only show something, sorted. Left out are those that load, run, embed or animate.
#[rustfmt::skip]
const ELEMENTS: [&str; 192] = [
    "a", "abbr", "acronym", "address", "area", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote", "body", "br",
    "button", "canvas", "caption", "center", "circle", "cite", "clippath", "code", "col", "colgroup", "data", "datalist", "dd", "defs",
    "del", "desc", "details", "dfn", "dialog", "dir", "div", "dl", "dt", "ellipse", "em", "feblend", "fecolormatrix",
    "fecomponenttransfer", "fecomposite", "feconvolvematrix", "fediffuselighting", "fedisplacementmap", "fedistantlight",
    "fedropshadow", "feflood", "fefunca", "fefuncb", "fefuncg", "fefuncr", "fegaussianblur", "femerge", "femergenode", "femorphology",
    "feoffset", "fepointlight", "fespecularlighting", "fespotlight", "fetile", "feturbulence", "fieldset", "figcaption", "figure",
    "filter", "font", "footer", "foreignobject", "form", "g", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hgroup", "hr",
    "html", "i", "image", "img", "input", "ins", "kbd", "label", "legend", "li", "line", "lineargradient", "main", "map", "mark",
    "marker", "marquee", "mask", "math", "menclose", "menu", "merror", "metadata", "meter", "mfrac", "mi", "mmultiscripts", "mn", "mo",
    "mover", "mpadded", "mphantom", "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup",
    "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "nav", "nobr", "ol", "optgroup", "option", "output", "p", "path",
    "pattern", "picture", "polygon", "polyline", "pre", "progress", "q", "radialgradient", "rect", "rp", "rt", "ruby", "s", "samp",
    "search", "section", "select", "semantics", "slot", "small", "span", "stop", "strike", "strong", "style", "sub", "summary", "sup",
    "svg", "switch", "symbol", "table", "tbody", "td", "template", "text", "textarea", "textpath", "tfoot", "th", "thead", "time",
    "title", "tr", "tspan", "tt", "u", "ul", "use", "var", "video", "view", "wbr",
];

/// Attributes that change how an element looks, and nothing else, sorted. Addresses are decided on one by one where tags are written.
#[rustfmt::skip]
const ATTRIBUTES: [&str; 261] = [
    "abbr", "accent", "accentunder", "align", "alignment-baseline", "alt", "axis", "basefrequency", "baseline-shift", "bgcolor", "bias",
    "border", "cellpadding", "cellspacing", "char", "charoff", "checked", "class", "clear", "clip", "clip-path", "clip-rule",
    "clippathunits", "color", "color-interpolation", "color-interpolation-filters", "cols", "colspan", "columnalign", "columnlines",
    "columnspacing", "columnspan", "compact", "controls", "coords", "cursor", "cx", "cy", "d", "datetime", "default", "depth",
    "diffuseconstant", "dir", "direction", "disabled", "display", "displaystyle", "dominant-baseline", "dx", "dy", "edgemode",
    "elevation", "enctype", "exponent", "face", "fence", "fill", "fill-opacity", "fill-rule", "filter", "filterunits", "flood-color",
    "flood-opacity", "font-family", "font-size", "font-size-adjust", "font-stretch", "font-style", "font-variant", "font-weight", "for",
    "fr", "frame", "frameborder", "fx", "fy", "glyph-orientation-vertical", "gradienttransform", "gradientunits", "headers", "height",
    "hidden", "high", "hspace", "id", "in", "in2", "inert", "inputmode", "intercept", "itemid", "itemprop", "itemscope", "itemtype",
    "k1", "k2", "k3", "k4", "kernelmatrix", "kernelunitlength", "label", "lang", "largeop", "lengthadjust", "letter-spacing",
    "lighting-color", "limitingconeangle", "linethickness", "list", "loop", "low", "lspace", "marker-end", "marker-mid", "marker-start",
    "markerheight", "markerunits", "markerwidth", "mask", "maskcontentunits", "maskunits", "mathbackground", "mathcolor", "mathsize",
    "mathvariant", "max", "maxlength", "maxsize", "min", "minlength", "minsize", "mode", "movablelimits", "multiple", "muted", "name",
    "noshade", "notation", "nowrap", "numoctaves", "offset", "opacity", "open", "operator", "optimum", "order", "orient", "overflow",
    "paint-order", "part", "pathlength", "pattern", "patterncontentunits", "patterntransform", "patternunits", "placeholder",
    "pointer-events", "points", "pointsatx", "pointsaty", "pointsatz", "popover", "preservealpha", "preserveaspectratio",
    "primitiveunits", "r", "radius", "readonly", "refx", "refy", "required", "requiredextensions", "requiredfeatures", "result",
    "reversed", "role", "rotate", "rowalign", "rowlines", "rows", "rowspacing", "rowspan", "rspace", "rules", "rx", "ry", "scale",
    "scope", "scriptlevel", "scrolling", "seed", "selected", "separator", "shape", "shape-rendering", "size", "slope", "slot", "span",
    "specularconstant", "specularexponent", "spellcheck", "spreadmethod", "start", "startoffset", "stddeviation", "step", "stitchtiles",
    "stop-color", "stop-opacity", "stretchy", "stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "stroke-opacity", "stroke-width", "style", "summary", "surfacescale", "symmetric", "systemlanguage",
    "tabindex", "tablevalues", "targetx", "targety", "text-anchor", "text-decoration", "text-rendering", "textlength", "title",
    "transform", "transform-origin", "translate", "type", "unicode-bidi", "valign", "value", "vector-effect", "version", "viewbox",
    "visibility", "vspace", "width", "word-spacing", "wrap", "writing-mode", "x", "x1", "x2", "xchannelselector", "xml:space", "xmlns",
    "y", "y1", "y2", "ychannelselector", "z",
];

/// Attributes whose values are CSS and may hold addresses.
#[rustfmt::skip]
const STYLED: [&str; 10] = [
    "clip-path", "cursor", "fill", "filter", "marker-end", "marker-mid", "marker-start", "mask", "stroke", "style",
];

/// Elements without content and end tag.
const VOID: [&str; 14] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Whether an element may be written. Custom elements may: without script they are boxes.
pub fn may_stand(element: &str) -> bool {
    ELEMENTS.binary_search(&element).is_ok() || (element.contains('-') && is_plain_name(element) && !element.starts_with("annotation"))
}

/// Whether an element has no content and no end tag.
pub fn is_void(element: &str) -> bool {
    VOID.contains(&element)
}

/// What an attribute's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// It does nothing.
    Plain,
    /// It is CSS.
    Styled,
    /// It is not written.
    Unwanted,
}

/// What to do with an attribute that has no address in it.
pub fn kind_of(attribute: &str) -> AttributeKind {
    if STYLED.binary_search(&attribute).is_ok() {
        AttributeKind::Styled
    } else if ATTRIBUTES.binary_search(&attribute).is_ok() || (is_of_a_family(attribute) && is_plain_name(attribute)) {
        AttributeKind::Plain
    } else {
        AttributeKind::Unwanted
    }
}

/// Attributes for scripts and assistive technology. djust's own do nothing without its script; pages select by them.
fn is_of_a_family(attribute: &str) -> bool {
    ["aria-", "data-", "dj-"].iter().any(|family| attribute.starts_with(family)) && attribute != CHANGED_MARK && attribute != LINK_MARK
}

fn is_plain_name(name: &str) -> bool {
    name.len() <= 128
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_because_they_are_searched_in_halves() {
        for list in [&ELEMENTS[..], &ATTRIBUTES, &STYLED] {
            assert!(list.is_sorted());
        }
    }

    #[test]
    fn nothing_that_acts_is_on_a_list() {
        for element in [
            "script",
            "iframe",
            "object",
            "embed",
            "applet",
            "frame",
            "frameset",
            "base",
            "meta",
            "link",
            "noscript",
            "portal",
            "fencedframe",
            "animate",
            "set",
            "animatemotion",
            "animatetransform",
            "source",
            "track",
            "param",
            "feimage",
            "permission",
            "annotation-xml",
        ] {
            assert!(!may_stand(element), "{element}");
        }
        for attribute in [
            "onclick",
            "onload",
            "href",
            "src",
            "srcset",
            "action",
            "formaction",
            "ping",
            "srcdoc",
            "autofocus",
            "autoplay",
            "background",
            "poster",
            "http-equiv",
            "xlink:href",
            "xml:base",
            "target",
            "manifest",
            "data",
            "is",
            "contenteditable",
            "popovertarget",
            "command",
            "commandfor",
            "shadowrootmode",
            "from",
            "to",
            "values",
            "by",
            CHANGED_MARK,
            LINK_MARK,
            "data-\"x",
        ] {
            assert_eq!(kind_of(attribute), AttributeKind::Unwanted, "{attribute}");
        }
    }
}
