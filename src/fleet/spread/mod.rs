//! From one run to a record of each GPU: the plan, what the schedulers are told, and what came of each task.

mod collected;
mod folder;
mod plan;
mod standing;
mod task_state;

pub use collected::{Collected, Remark, Remarked, collect};
pub use folder::FleetFolder;
pub use plan::{FleetPlan, FleetTask, MOST_TASKS, is_node_name};
pub use standing::{FleetStanding, Queue, QueuedJob, Standing, TaskStanding, last_line};
pub use task_state::{HEARTBEAT, TaskEnd, TaskState};
