"""Operations as LLVM IR: functions, loops, vectors, and what stays in registers."""
