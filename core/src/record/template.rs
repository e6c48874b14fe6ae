//! Templates as they are kept: the template, and who changed it when.

use crate::ids::Micros;
use crate::template::Template;

/// One template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRecord {
    /// What it says.
    pub template: Template,
    /// Goes up with every change; 1 = as it was first imported.
    pub revision: i64,
    /// Who changed it last, by name.
    pub author: String,
    /// When it was first imported.
    pub created: Micros,
    /// When it was changed last.
    pub changed: Micros,
}
