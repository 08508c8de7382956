@echo off
rem The Secret, for Windows: call "lib-secret.bat" :ensure NAME DIR MODE [CACHE-MODE]. The same as ensure_secret in lib-deploy.sh.
rem Values pass through files only. PowerShell makes random ones and takes the newline off given ones.
call %*
if errorlevel 1 exit /b 1
exit /b 0

:ensure
call "%~dp0lib-deploy.bat" :ask get secret %~1 --ignore-not-found -o name
if errorlevel 1 exit /b 1
if "%LINE%"=="" goto create
call %KUBE% get secret %~1 -o "go-template={{range $k, $v := .data}}{{$k}} {{end}}" >"%SCRATCH%\keys"
set "MISSING="
call :has platform-secret
call :has identity-db-password
call :has ai-db-password
call :has chat-db-password
call :has crm-db-password
call :has analytics-db-password
if not "%MISSING%"=="" echo error: Secret %~1 exists but lacks:%MISSING% 1>&2
if not "%MISSING%"=="" exit /b 1
echo Secret %~1 exists and stays as it is
exit /b 0

:has
"%FIND%" "%~1 " <"%SCRATCH%\keys" >nul
if errorlevel 1 set "MISSING=%MISSING% %~1"
exit /b 0

:create
set "FROM=%~2"
set "MODE=%~3"
set "CACHE_MODE=%~4"
if "%CACHE_MODE%"=="" set "CACHE_MODE=%MODE%"
set "MISSING="
call :roles look
set "GENERATE=yes"
rem all roles have passwords already: the administrator made them, and keeps his own to himself
if "%MISSING%"=="" set "GENERATE=no"
if not "%MODE%"=="external" goto collect
if "%MISSING%"=="" goto collect
echo error: an existing Postgres knows the roles' passwords already: give them as files with --secrets DIR, see docs\deployment.md; missing:%MISSING% 1>&2
exit /b 1

:collect
set "SECRET_OUT=%SCRATCH%\secret"
mkdir "%SECRET_OUT%"
call :roles take
call :take platform-secret yes
call :take postgres-admin-password %GENERATE%
set "WANTED=yes"
rem an existing Redis may want none
if "%CACHE_MODE%"=="external" set "WANTED=no"
call :take cache-password %WANTED%
call :take llm-api-key no
if not exist "%SCRATCH%\secret\platform-secret" echo error: PowerShell made no secrets 1>&2
if not exist "%SCRATCH%\secret\platform-secret" exit /b 1
call "%~dp0lib-deploy.bat" :change %KUBE% create secret generic %~1 "--from-file=%SCRATCH%\secret"
if errorlevel 1 exit /b 1
exit /b 0

:roles
for %%S in (identity ai chat crm analytics) do call :%~1 %%S-db-password yes
for %%S in (identity ai chat crm analytics) do call :%~1 %%S-migrator-password yes
exit /b 0

:look
if "%FROM%"=="" set "MISSING=%MISSING% %~1"
if "%FROM%"=="" exit /b 0
if not exist "%FROM%\%~1" set "MISSING=%MISSING% %~1"
exit /b 0

rem take KEY GENERATE: from FROM, or made when GENERATE is yes; into SECRET_OUT
:take
if "%FROM%"=="" goto generate
if not exist "%FROM%\%~1" goto generate
call powershell -NoProfile -Command "[IO.File]::WriteAllText('%SECRET_OUT%\%~1', [IO.File]::ReadAllText('%FROM%\%~1').TrimEnd())"
exit /b 0

:generate
if not "%~2"=="yes" exit /b 0
call powershell -NoProfile -Command "$b = New-Object byte[] 24; [Security.Cryptography.RandomNumberGenerator]::Create().GetBytes($b); [IO.File]::WriteAllText('%SECRET_OUT%\%~1', [BitConverter]::ToString($b).Replace('-', '').ToLower())"
exit /b 0
